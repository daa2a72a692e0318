#!/bin/sh
# Adds up what the samples have counted. Runs on an SSH host, which needs nothing but a POSIX shell and awk.
#
# QUENCH_INPUTS is {"sample-0":"file:///…","sample-1":"file:///…"}; each of these files is {"part":0,"darts":9,"hits":7}.

LC_ALL=C awk '
  function path_of(uri,    path, at) {
    path = substr(uri, length("file://") + 1)
    for (at = 1; (at = index_from(path, "%", at)) > 0; at++)
      path = substr(path, 1, at - 1) sprintf("%c", hex(substr(path, at + 1, 2))) substr(path, at + 3)
    return path
  }
  function index_from(text, wanted, from,    found) {
    found = index(substr(text, from), wanted)
    return found ? found + from - 1 : 0
  }
  function hex(digits) {
    return 16 * digit(substr(digits, 1, 1)) + digit(substr(digits, 2, 1))
  }
  function digit(character) {
    return index("0123456789ABCDEF", toupper(character)) - 1
  }
  function field(json, name) {
    if (!match(json, "\"" name "\":[0-9]+")) { print name " is missing in " json >"/dev/stderr"; exit 1 }
    return substr(json, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0
  }
  BEGIN {
    inputs = ENVIRON["QUENCH_INPUTS"]
    while (match(inputs, /file:[^"]*/)) {
      file = path_of(substr(inputs, RSTART, RLENGTH))
      inputs = substr(inputs, RSTART + RLENGTH)
      if ((getline json <file) <= 0) { print "cannot read " file >"/dev/stderr"; exit 1 }
      darts += field(json, "darts")
      hits += field(json, "hits")
      parts = parts (parts == "" ? "" : ",") json
    }
    printf "{\"darts\":%.0f,\"hits\":%.0f,\"parts\":[%s]}\n", darts, hits, parts >path_of(ENVIRON["QUENCH_RESULT"])
  }'
