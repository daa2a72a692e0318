import { library } from '../run-command/host-shell.ts'

/**
 * The batch script: `batch FOLDER MASK`. Nothing in it comes from a task.
 *
 * TERM does not end it: it waits for the command, writes its end to `fate`, and sees to it that nothing outlives the job.
 * A cancel by Quench signals every process itself; any other TERM, and every other signal, is passed on to the command, which
 * is what the batch script is with a plain sbatch (`--signal=B:USR1@60`, `scancel --batch`). After a natural end what
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
  [ -n "$child" ] || { missed="$missed $1"; return; }
  [ "$1" = TERM ] && fated || kill -s "$1" "$child" 2>/dev/null
}
child= hit= missed=
# What a shell can catch (it would end of a name that it does not know); --signal=B:USR1@60 and scancel --batch send them.
for one in HUP INT QUIT ABRT PIPE ALRM TERM USR1 USR2 CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF; do trap "on_signal $one" $one; done
case $verb in
finish) finish "$4"; exit ;;
sweep)
  while start_of "$4" && [ "$start" = "$5" ]; do
    # Whoever asks whether the job is still there has its answer by this.
    [ ! -e absent ] || rm -f absent
    sleep 0.5 2>/dev/null || sleep 1
  done
  finish 0
  : >swept
  exit ;;
esac
# What a banner was taken for is set right.
id=\${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID} noted=
[ ! -e "$folder/job" ] || read -r noted <"$folder/job"
[ "$noted" = "$id" ] || { echo "$id" >job.$$ && mv -f job.$$ "$folder/job"; }
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
# A shell lets what it does not wait for ignore INT and QUIT, for good; a command under a plain sbatch hears them.
if env --default-signal=INT,QUIT true 2>/dev/null; then heard() { exec env --default-signal=INT,QUIT "$@"; }
elif command -v perl >/dev/null; then heard() { exec perl -e '$SIG{INT} = $SIG{QUIT} = "DEFAULT"; exec @ARGV' "$@"; }
else heard() { exec "$@"; }; fi
( umask "$mask"; . ./start ) </dev/null &
child=$!
for one in $missed; do on_signal "$one"; done
code=127
while :; do
  hit= last=$code
  wait "$child"
  code=$?
  [ -n "$hit" ] || break
done
# Interrupted by a signal just as the command ended, wait has told the code already and knows the command no more.
[ $code != 127 ] || code=$last
child=
decide . "ended $(date +%s) $code" || : >yielded
grace=0
! fated || grace=300
sh "$folder/batch" "$folder" "$mask" finish $grace </dev/null >/dev/null 2>&1
: >swept
if [ -n "$sweeper" ] && start_of "$sweeper" && [ "$start" = "$sweeper_start" ]; then kill -s KILL -- "-$sweeper"; fi
exit $code
`
