#!/bin/sh
# The worst tenant of a cluster: never ends, ignores every polite signal, forks, and sends a daemon into a session of its
# own, which no kill of a process group reaches. Each of them adds a line to the task's result every half second, so that
# anybody can see whether it lives.

trap '' TERM INT HUP

# The path of a file URI: %20 in it is a space.
path_of() {
  path= rest=${1#file://}
  while [ "$rest" != "${rest#*%}" ]; do
    path=$path${rest%%\%*} rest=${rest#*%}
    code=${rest%"${rest#??}"} rest=${rest#??}
    path=$path$(printf "\\$(printf %o "0x$code")")
  done
  printf %s "$path$rest"
}

beat() {
  while :; do
    echo "$1" >>"$heartbeat"
    sleep 0.5
  done
}

heartbeat=$(path_of "$QUENCH_RESULT")
if [ "${1-}" = daemon ]; then beat daemon; fi
setsid sh "$0" daemon &
beat fork &
beat main
