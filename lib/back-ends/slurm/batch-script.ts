import { library } from '../run-command/host-shell.ts'
import { keeperVerbs } from './keeper.ts'

/**
 * The batch script: `batch FOLDER MASK`. Nothing in it comes from a task.
 *
 * TERM does not end it: it waits for the command, writes its end to `fate`, and has its sweeper (`keeper.ts`) see to it that
 * nothing outlives the job. A cancel by Quench signals every process itself; any other TERM, and every other signal, is passed
 * on to the command, which is what the batch script is with a plain sbatch (`--signal=B:USR1@60`, `scancel --batch`).
 *
 * The command joins the cgroup of the job, where there is one, before anything of it runs; a join that fails starts nothing.
 * After a natural end what is left is killed at once; after a cancel it has the longest grace a cancel can ask for (300 s), in
 * case nobody comes back to kill it.
 */
export const batchScript = `#!/bin/sh
umask 077
# The line above is a command, so sbatch takes no line below for an option.
folder=$1 mask=$2 verb=\${3:-run}
name=\${folder##*/} dir=$folder key=\${folder##*/}
[ -z "\${SLURM_ARRAY_TASK_ID:-}" ] || { dir=$folder/$SLURM_ARRAY_TASK_ID key=$name.$SLURM_ARRAY_TASK_ID; }
${library}${keeperVerbs}
fated() { [ -e "$dir/fate" ] && read -r fate rest <"$dir/fate" && [ "$fate" = cancelled ]; }
on_signal() {
  hit=1
  [ -n "$child" ] || { missed="$missed $1"; return; }
  if [ "$1" = TERM ] && fated; then term_daemons; else kill -s "$1" "$child" 2>/dev/null; fi
}
child= hit= missed= group=
# What a shell can catch (it would end of a name that it does not know); --signal=B:USR1@60 and scancel --batch send them.
for one in HUP INT QUIT ABRT PIPE ALRM TERM USR1 USR2 CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF; do trap "on_signal $one" $one; done
case $verb in sweep) sweep "$4" "$5" "$6" "$7" "$8" "$9"; exit ;; esac
# For its sweeper: the folder may be gone when that is needed.
program=$(cat "$0") || exit 73
cd "$dir" || exit 73
member=$name
[ "$dir" = "$folder" ] || { read -r member <start && member=\${member#member=}; } || exit 73
# What a banner was taken for is set right.
id=\${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID} noted=
[ ! -e "$folder/job" ] || read -r noted <"$folder/job"
[ "$noted" = "$id" ] || { echo "$id" >job.$$ && mv -f job.$$ "$folder/job"; }
began=$(date +%s)
echo "$began" >began.$$ && mv -f began.$$ began
if [ -e fate ]; then
  : >yielded
  echo 'nothing was started' >swept
  exit 143
fi
start_of $$
rm -f hears told swept
own=$start command=$(cat "$folder/command")
find_group
start_sweeper "$own"
# A shell lets what it does not wait for ignore INT and QUIT, for good; a command under a plain sbatch hears them.
if env --default-signal=INT,QUIT true 2>/dev/null; then heard() { exec env --default-signal=INT,QUIT "$@"; }
elif command -v perl >/dev/null; then heard() { exec perl -e '$SIG{INT} = $SIG{QUIT} = "DEFAULT"; exec @ARGV' "$@"; }
else heard() { exec "$@"; }; fi
( [ -z "$group" ] || echo 0 >"$group/cgroup.procs" || exit 76
  umask "$mask"; . ./start ) </dev/null &
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
{ [ -d "$dir" ] && cd "$dir"; } || { mkdir -p "$dir" && cd "$dir"; }
decide . "ended $(date +%s) $code" || : >yielded
# A sweeper that somebody has killed is started again.
tell_sweeper || { start_sweeper "$own"; tell_sweeper; }
exit $code
`
