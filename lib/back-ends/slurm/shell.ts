import { library } from '../run-command/host-shell.ts'

/**
 * The shell side of jobs on a Slurm cluster. POSIX sh; on the login node it needs sbatch, squeue and scancel, and uses sacct
 * where the site keeps accounts.
 *
 * A job is a folder `slurm/<name>` in the user's `~/.quench` (or QUENCH_HOME), which login and compute nodes must share:
 *
 * | entry | made by | says |
 * |---|---|---|
 * | `command`, `start`, `batch` | launch | what to run, and the batch script that runs it |
 * | `run` | mkdir: the launch that submits | sbatch is called by the one that made it, so at most once |
 * | `job` | that launch, and the batch script as its first act | the job's id |
 * | `began` | batch script | when it started |
 * | `fate` | link(2): batch script, kill, poll | `ended TIME CODE`, `cancelled TIME` or `lost TIME`; the first one holds |
 * | `end` | poll | the state in which Slurm has ended the job, start and end: slurmctld forgets after MinJobAge |
 * | `swept` | batch script, or its sweeper | that no process of the job is left on its node |
 * | `yielded` | batch script | that it found a fate that it had not written itself |
 * | `seen` | poll | when a job without id was first asked for |
 * | `stdout`, `stderr` | the job | its output |
 *
 * A job array has a folder `<index>` in there for each element, with the element's own `start`, `began`, `fate`, `end`, `swept`,
 * `yielded`, `seen`, `stdout` and `stderr`. Its `start` names the element's task first (`member=<name>`: what QUENCH_JOB is,
 * and what its processes are found by), gives what it does not share with the others, and goes on with the array's.
 *
 * A launch that dies around sbatch leaves `run` without `job`. The job, if there is one, is found by its name (squeue --name),
 * or tells its id when it starts. The race that remains: sbatch's request may still be on its way when both look. A poll
 * waits 30 s for it, then writes `lost`; a batch script that finds a fate ends before it starts anything.
 *
 * Ids come again (slurmctld started afresh, MaxJobId): a job is only taken for ours when its id and its name are.
 */

/**
 * Goes to the jobs' folder and sets `mask`, `base` and `now`. Exit code 73: nothing was done.
 *
 * The agent has no login shell, so Slurm may not be on its PATH; and variables that filter squeue and scancel are dropped.
 */
export const slurmPrelude = `mask=$(umask)
umask 077
if ! command -v sbatch >/dev/null; then
  [ ! -r /etc/profile ] || . /etc/profile >/dev/null 2>&1
  PATH=$PATH:/opt/slurm/bin:/usr/local/slurm/bin:/usr/local/bin
fi
unset SQUEUE_ACCOUNT SQUEUE_LICENSES SQUEUE_NAMES SQUEUE_PARTITION SQUEUE_QOS SQUEUE_STATES SQUEUE_USERS SLURM_CLUSTERS
unset SCANCEL_ACCOUNT SCANCEL_BATCH SCANCEL_FULL SCANCEL_HURRY SCANCEL_INTERACTIVE SCANCEL_NAME SCANCEL_PARTITION
unset SCANCEL_QOS SCANCEL_STATE SCANCEL_USER SCANCEL_WCKEY SCANCEL_VERBOSE
base=\${QUENCH_HOME:-\${HOME:-/root}/.quench}
mkdir -p "$base/slurm" && cd "$base/slurm" || exit 73
base=$(pwd)
now=$(date +%s)
nap() { sleep 0.05 2>/dev/null || sleep 1; }
queue() { SLURM_TIME_FORMAT=%s squeue --noheader --all --states=all --user="$(id -u)" "$@" </dev/null; }
`

/** Sets `job`, the id of the job called `$name`, or 0. Exit code 74: the controller did not say. */
export const recall = `
recall() {
  job=0
  if [ ! -e "$name/job" ] && [ -d "$name/run" ]; then
    found=$(queue --name="$name" --format=%F) || exit 74
    found=\${found%%[!0-9]*}
    [ -z "$found" ] || { echo "$found" >"$name/job.$$" && mv -f "$name/job.$$" "$name/job"; }
  fi
  [ ! -e "$name/job" ] || read -r job <"$name/job"
}
`

/**
 * Functions that put together what the jobs' folders (`describe_jobs` to `rows`) and Slurm (`ask_slurm` to `jobs`) say.
 *
 * `know` joins them to `known`, a line for each handle, in order; `read_job` reads one. One squeue however many jobs: all of
 * the user's, by one request (`--states=all` also shows those that have ended, until MinJobAge is over; `scontrol show job`
 * knows no more). Where the site keeps accounts, `ask_accounts` adds the ended jobs that neither slurmctld nor their folder
 * can tell; sacct is believed about ends alone, since a job that slurmctld does not know may be RUNNING there for ever.
 * `before` has its turn with each handle first. Exit code 74: the controller did not say.
 */
export const surveyJobs = `
describe_jobs() {
  while read -r a b; do
    if [ "$a" = @ ]; then prefix=\${b#.}; continue; fi
    name=$prefix$a dir=$prefix$a job=\${b%_*} index=- mine=0
    case $b in *_*) index=\${b#*_} dir=$name/$index ;; esac
    fate= when= code= began= note= from= to=
    before
    [ ! -e "$dir/fate" ] || read -r fate when code <"$dir/fate"
    [ ! -e "$dir/began" ] || read -r began <"$dir/began"
    [ ! -e "$dir/end" ] || read -r note from to <"$dir/end"
    [ "$job" != 0 ] || [ ! -e "$name/job" ] || read -r job <"$name/job"
    echo "R|$name|$dir|$job|$index|\${fate:--}|\${when:--}|\${code:--}|\${began:--}|\${note:--}|\${from:--}|\${to:--}|$mine"
  done
}
join_jobs() {
  awk -F '|' '
    function time(text) { return text ~ /^[0-9]+$/ ? text : "-" }
    $1 == "J" {
      key = $7 SUBSEP $2 SUBSEP ($3 == "N/A" ? "-" : $3)
      if (key in state) next
      state[key] = $4
      start[key] = time($5)
      end[key] = time($6)
      named[$7] = $2
      if ($4 !~ /^(BF|CA|CD|CG|DL|F|NF|OOM|PR|TO)$/) alive[$2]++
    }
    $1 == "R" {
      if ($4 == 0 && $2 in named) $4 = named[$2]
      key = $2 SUBSEP $4 SUBSEP $5
      row = $2
      for (i = 3; i <= 13; i++) row = row " " $i
      if (key in state) print row, state[key], start[key], end[key], alive[$4] + 0
      else print row, "-", "-", "-", 0
    }'
}
ask_slurm() { jobs=$(queue $each --format='J|%F|%K|%t|%S|%e|%j') || exit 74; }
ask_accounts() {
  missing=$(printf '%s\\n' "$known" | awk '
    $3 != 0 && $5 == "-" && $9 == "-" && $13 == "-" { printf "%s%s", comma, $4 == "-" ? $3 : $3 "_" $4; comma = "," }')
  if [ -n "$missing" ] && command -v sacct >/dev/null; then
    ended=$(SLURM_TIME_FORMAT=%s sacct --noheader --allocations --parsable2 --jobs="$missing" \\
      --format=JobID,State,Start,End,JobName </dev/null 2>/dev/null | awk -F '|' '
        $2 ~ /^(BOOT_FAIL|CANCELLED|COMPLETED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|TIMEOUT)/ {
          split($1, id, "_")
          sub(/[^A-Z_].*/, "", $2)
          print "J|" id[1] "|" (id[2] == "" ? "N/A" : id[2]) "|" $2 "|" $3 "|" $4 "|" $5
        }')
    know "$ended"
  fi
}
know() { known=$(printf '%s\\n' "$jobs" "$1" "$rows" | join_jobs); }
read_job() { read -r name dir job index fate when code began note from to mine state start end alive; }
`

/**
 * The batch script: `batch FOLDER MASK`. Nothing in it comes from a task.
 *
 * TERM does not end it: it waits for the command, writes its end to `fate`, and sees to it that nothing outlives the job.
 * A cancel by Quench signals every process itself; any other TERM (`scancel --batch`) is passed on. After a natural end what
 * is left is killed at once; after a cancel it has the longest grace a cancel can ask for (300 s), in case nobody comes
 * back to kill it. A sweeper waits beside it: sites that track processes by their parents (proctrack/linuxproc, pgid) lose
 * daemons, and a KILL leaves the batch script no time to look for them. With proctrack/cgroup there is nothing to sweep,
 * and the sweeper dies with the job. Both see the node that runs the batch script, and no other.
 */
export const batchScript = `#!/bin/sh
umask 077
# The line above is a command, so sbatch takes no line below for an option.
folder=$1 mask=$2 verb=\${3:-run}
name=\${folder##*/} dir=$folder
[ -z "\${SLURM_ARRAY_TASK_ID:-}" ] || dir=$folder/$SLURM_ARRAY_TASK_ID
cd "$dir" || exit 73
member=$name
[ "$dir" = "$folder" ] || { read -r member <start && member=\${member#member=}; } || exit 73
${library}
others() { echo "$member - 0" | with_processes | { read -r a b c bar all || exit 1; echo "$all"; }; }
finish() {
  waited=0 empty=0 round=0
  while [ $empty -lt 2 ] && [ $round -lt 100 ]; do
    if ! all=$(others); then empty=0 round=$((round + 1)); nap
    elif [ -z "$all" ]; then empty=$((empty + 1))
    elif [ $waited -lt "$1" ]; then empty=0 waited=$((waited + 1)); sleep 1
    else empty=0 round=$((round + 1)); signal KILL jk $all; nap; fi
  done
}
fated() { [ -e fate ] && read -r fate rest <fate && [ "$fate" = cancelled ]; }
on_signal() {
  hit=1
  [ -z "$child" ] || fated || kill -TERM "$child" 2>/dev/null
}
child= hit=
trap on_signal TERM INT HUP
case $verb in
finish) finish "$4"; exit ;;
sweep)
  while start_of "$4" && [ "$start" = "$5" ]; do sleep 0.5 2>/dev/null || sleep 1; done
  finish 0
  : >swept
  exit ;;
esac
[ -e "$folder/job" ] || { echo "\${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}" >job.$$ && mv -f job.$$ "$folder/job"; }
date +%s >began.$$ && mv -f began.$$ began
if [ -e fate ]; then
  : >yielded
  # Nothing was started.
  : >swept
  exit 143
fi
start_of $$
sweeper= sweeper_start=
if command -v setsid >/dev/null; then
  sweeper=$(setsid sh "$folder/batch" "$folder" "$mask" sweep $$ "$start" </dev/null >/dev/null 2>&1 & echo $!)
  start_of "$sweeper" && sweeper_start=$start
fi
command=$(cat "$folder/command")
( trap - TERM INT HUP; umask "$mask"; . ./start ) </dev/null &
child=$!
[ -z "$hit" ] || kill -TERM "$child" 2>/dev/null
code=127
while :; do
  hit= last=$code
  wait "$child"
  code=$?
  [ -n "$hit" ] || break
done
# Interrupted by a signal just as the command ended, wait has told the code already and knows the command no more.
[ $code != 127 ] || code=$last
decide . "ended $(date +%s) $code" || : >yielded
grace=0
! fated || grace=300
sh "$folder/batch" "$folder" "$mask" finish $grace </dev/null >/dev/null 2>&1
: >swept
if [ -n "$sweeper" ] && start_of "$sweeper" && [ "$start" = "$sweeper_start" ]; then kill -s KILL -- "-$sweeper"; fi
exit $code
`
