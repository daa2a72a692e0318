/**
 * The shell side of jobs on a host. POSIX sh: dash, busybox and bash run it; it needs Linux's /proc and nothing installed.
 *
 * A job is a folder `jobs/<name>`, made with mkdir, so that whoever comes second adopts it:
 *
 * | entry | made by | says |
 * |---|---|---|
 * | `command`, `runner` | launch | what to run, and the program that runs it |
 * | `run` | mkdir: the runner, or a kill | a job is started by the one that made it, so at most once; a kill that made it leaves a tombstone |
 * | `identity` | runner | pid, start time (field 22 of /proc/PID/stat), boot id, time; times are seconds since boot |
 * | `fate` | link(2): runner, watchdog, kill, poll | `ended TIME CODE`, `timedout TIME`, `cancelled TIME` or `lost TIME`; the first one holds |
 * | `end` | runner, or the poll that finds nothing left | when the last process was gone |
 * | `seen` | poll | when a job without identity was first asked for |
 * | `stdout`, `stderr` | the job | its output |
 *
 * Who writes `fate` and who reads `identity` can never miss each other: the runner writes `identity`, then reads `fate`,
 * then starts; a kill writes `fate`, then reads `identity` and /proc. One of them sees the other.
 *
 * Every process of a job carries `QUENCH_JOB=<name>`; the runner carries `QUENCH_KEEPER=<name>` (and so do its forks, until
 * they exec), its watchdog and sweepers `QUENCH_KEEPER=<name>/helper`. What descends from one of these belongs to the job
 * as well. A pid alone is never trusted: start times are compared again right before every signal.
 */

/**
 * Sets `now`, in whole seconds since the host was booted: a clock that nobody sets, so that ages are true however wrong the host's
 * date is. Instants are ours (`parsePoll`). Source: proc(5), /proc/uptime.
 */
const tick = 'tick() { read -r now up </proc/uptime && now=${now%%.*}; }'

/** Goes to the jobs' folder and sets `mask`, `boot` and `now`. Exit code 73: nothing was done. */
export const prelude = `#!/bin/sh
mask=$(umask)
umask 077
base=\${QUENCH_HOME:-/var/lib/quench}
if [ -z "\${QUENCH_HOME:-}" ]; then
  { mkdir -p "$base/jobs" && [ -w "$base/jobs" ]; } 2>/dev/null || base=\${HOME:-/root}/.quench
fi
mkdir -p "$base/jobs" && cd "$base/jobs" || exit 73
boot=$(cat /proc/sys/kernel/random/boot_id) || exit 73
${tick}
tick || exit 73
`

const roles = `
  function add(name, role) {
    if (name == "" || (pid, name) in seen) return
    seen[pid, name] = 1
    if (pid ":" start[pid] == leader[name]) role = "l"
    found[name] = found[name] " " pid ":" start[pid] ":" role
  }
  $0 == nonce { part++; if (part % 2) pid = ""; next }
  $0 == "" { next }
  part == 0 {
    split($0, f, " ")
    line[++lines] = $0
    wanted[lines] = f[1]
    leader[f[1]] = f[2]
    if (f[3] == 1) trusted[f[2]] = f[1]
    next
  }
  part % 2 {
    text = $0
    sub(/.*\\) /, "", text)
    if (split(text, f, " ") < 20 || f[1] == "Z" || f[1] == "X") next
    pid = int($0)
    parent[pid] = f[2]
    start[pid] = f[20]
    next
  }
  pid == "" { next }
  index($0, "QUENCH_JOB=") == 1 { job[pid] = substr($0, 12) }
  index($0, "QUENCH_KEEPER=") == 1 { keeper[pid] = substr($0, 15) }
  END {
    if (part != parts || !(self in start)) exit 1
    for (pid in start) {
      for (up = pid; up in parent && up != self && depth[pid] < 9999; up = parent[up]) depth[pid]++
      if (up == self) continue
      for (up = pid; up + 0 > 1 && up in parent && depth[pid]-- > 0; up = parent[up]) {
        name = job[up]
        if (name in leader) add(name, "j")
        name = keeper[up]
        helper = sub(/\\/helper$/, "", name)
        if (name in leader) add(name, helper ? "h" : up == pid ? "k" : "j")
        name = up ":" start[up]
        if (name in trusted) add(trusted[name], "j")
      }
    }
    for (i = 1; i <= lines; i++) print line[i] " |" found[wanted[i]]
  }`

/**
 * Functions over jobs and processes.
 *
 * `with_processes` reads lines `name pid:start trusted …` and adds to each ` | pid:start:role …`, the live processes of that
 * job, from one pass over /proc however many jobs. Roles: `l` the runner of the recorded identity, `k` a fork of the runner
 * or a runner that was not elected, `h` its helpers, `j` the job itself. `trusted` says that the handle names the same
 * identity as the record: only then does a process count by its pid and start time alone. The script itself and what it
 * started are left out. The records of a pass are separated by a random word, so that no environment can fake one;
 * a pass that did not get to the end of them (no memory, no processes left) prints nothing, rather than that all is quiet.
 */
export const library = `
${tick}
nap() { sleep 0.05 2>/dev/null || sleep 1; }
start_of() {
  line= start=
  { while IFS= read -r part || [ -n "$part" ]; do line="$line$part "; done <"/proc/$1/stat"; } 2>/dev/null
  set -- \${line##*) }
  [ $# -lt 20 ] || start=\${20}
  [ -n "$start" ]
}
signal() {
  sig=$1 only=$2
  shift 2
  for one; do
    rest=\${one%:*}
    case $only in *"\${one##*:}"*) [ "\${rest%%:*}" -gt 1 ] && start_of "\${rest%%:*}" && [ "$start" = "\${rest#*:}" ] && kill -"$sig" "\${rest%%:*}" 2>/dev/null ;; esac
  done
}
decide() {
  echo "$2" >"$1/fate.$$" && ln "$1/fate.$$" "$1/fate" 2>/dev/null
  set -- "$1" $?
  rm -f "$1/fate.$$"
  return "$2"
}
with_processes() {
  nonce=$(cat /proc/sys/kernel/random/uuid)
  set -- /proc/[0-9]*
  printf '\\000%s\\000' "$nonce" >".separator.$$"
  { cat
    for p; do printf '%s\\n' ".separator.$$" "$p/stat" ".separator.$$" "$p/environ"; done |
      xargs cat 2>/dev/null | LC_ALL=C tr '\\n\\000' '\\001\\n'
  } | LC_ALL=C awk -v nonce="$nonce" -v self="$$" -v parts=$(($# * 2)) '${roles}
'
  rm -f ".separator.$$"
}
`

/** Reads a list of handles and adds what their folders say, after the function `before` had its turn with each. */
export const describeJobs = `
describe_jobs() {
  while read -r a b c; do
    if [ "$a" = @ ]; then prefix=\${b#.} at=$c; continue; fi
    name=$prefix$a known=none pid=0 start=0 on=- began=- mine=0
    before
    if [ -e "$name/identity" ]; then known=identity; read -r pid start on began <"$name/identity"
    elif [ -d "$name/run" ]; then known=run
    elif [ -d "$name" ]; then known=folder; fi
    leader=- trusted=0
    [ "$on" != "$boot" ] || leader=$pid:$start
    { [ "$b" != 0 ] && [ "$b:$c:$at" != "$pid:$start:$on" ]; } || trusted=1
    echo "$name $leader $trusted $known $began $mine"
  done
}
read_fate() { fate= when= code=; [ ! -e "$name/fate" ] || read -r fate when code <"$name/fate"; }
`

/**
 * The program beside the job, started as `runner run MASK`. It and its helpers know the job by `name`, `limit` and `start_job`,
 * which launch puts before it.
 *
 * TERM does not end it: it waits for the job, records the end, and sees to it that nothing outlives the job. After a
 * natural end the rest is killed at once, as in a container; after a cancel it has the longest grace a cancel can ask for
 * (300 s), in case nobody comes back to kill it.
 */
export const runner = `
helper() { QUENCH_KEEPER=$name/helper sh "$name/runner" "$@" </dev/null >/dev/null 2>&1; }
members() {
  leader=-
  [ ! -e "$name/identity" ] || { read -r pid start on began <"$name/identity"; leader=$pid:$start; }
  echo "$name $leader 1" | with_processes
}
others() { members | { read -r a b c bar all || exit 1; for one in $all; do case $one in *:[jk]) echo "$one" ;; esac; done; }; }
stop() {
  all=$(others)
  signal TERM jk $all
  signal CONT jk $all
}
finish() {
  waited=0 empty=0 round=0
  while [ $empty -lt 2 ] && [ $round -lt 100 ]; do
    if ! all=$(others); then empty=0 round=$((round + 1)); nap
    elif [ -z "$all" ]; then empty=$((empty + 1))
    elif [ $waited -lt "$1" ]; then empty=0 waited=$((waited + 1)); sleep 1
    else empty=0 round=$((round + 1)); signal KILL jk $all; nap; fi
  done
  [ -z "$2" ] || signal KILL "$2" $(members | { read -r a b c bar all; echo "$all"; })
}
trap 'hit=1' TERM INT HUP
case $1 in
stop) stop; exit ;;
finish) finish "$2" "$3"; exit ;;
expire)
  sleep "$limit" || exit
  tick
  decide "$name" "timedout $now" || exit 0
  stop
  finish 10 ''
  exit ;;
esac
boot=$(cat /proc/sys/kernel/random/boot_id) && start_of $$ || exit 73
mkdir "$name/run" 2>/dev/null || exit 0
tick || exit 73
echo "$$ $start $boot $now" >"$name/identity.$$" && mv -f "$name/identity.$$" "$name/identity" || exit 73
if [ ! -e "$name/fate" ]; then
  command=$(cat "$name/command")
  ( umask "$2"; unset QUENCH_KEEPER; start_job ) </dev/null >"$name/stdout" 2>"$name/stderr" &
  child=$!
  [ -z "$limit" ] || QUENCH_KEEPER=$name/helper sh "$name/runner" expire </dev/null >/dev/null 2>&1 &
  [ ! -e "$name/fate" ] || helper stop
  code=127
  while :; do
    hit= last=$code
    wait "$child"
    code=$?
    [ -n "$hit" ] || break
  done
  # Interrupted by a signal just as the job ended, wait has told the code already and knows the job no more.
  [ $code != 127 ] || code=$last
  tick
  decide "$name" "ended $now $code"
  read -r fate when <"$name/fate"
  case $fate in cancelled) helper finish 300 h ;; timedout) helper finish 10 '' ;; *) helper finish 0 h ;; esac
fi
tick
echo "$now" >"$name/end"
rm -f "$name/runner" "$name/command"
`
