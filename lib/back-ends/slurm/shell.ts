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
 * | `end` | poll | the state in which Slurm has ended the job, start and end, and why: slurmctld forgets after MinJobAge |
 * | `hears`, `told` | sweeper; batch script | that a signal wakes it; that the command has ended |
 * | `swept` | sweeper, or the batch script | that no process of the job is left on its node, and what that rests on |
 * | `yielded` | batch script | that it found a fate that it had not written itself |
 * | `unswept` | poll | since when `swept` has been missed; a sweeper that lives takes it away |
 * | `seen` | poll | since when a job without id has been asked for |
 * | `absent` | poll | since when the controller says that it has no such job; whoever lives beside the job takes it away |
 * | `stdout`, `stderr` | the job | its output |
 *
 * A job array has a folder `<index>` in there for each element, with the element's own `start`, `began`, `fate`, `end`, `hears`,
 * `told`, `swept`, `unswept`, `yielded`, `seen`, `absent`, `stdout` and `stderr`. Its `start` names the element's task first (`member=<name>`: what QUENCH_JOB is,
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
 * The agent has no login shell, so Slurm may not be on its PATH. Variables of a user or a site that filter, sort or shape what
 * the tools say are dropped, and of those that sbatch takes for options the ones that are Quench's to give.
 * `queue` prints the rows that squeue has, and sets nothing: it runs in a substitution. What squeue says beside them goes to
 * `.said.$$`, which `has_said` shows: an answer that comes with a complaint is believed for what it holds, never for what it
 * lacks.
 */
export const slurmPrelude = `mask=$(umask)
umask 077
if ! command -v sbatch >/dev/null; then
  [ ! -r /etc/profile ] || . /etc/profile >/dev/null 2>&1
  PATH=$PATH:/opt/slurm/bin:/usr/local/slurm/bin:/usr/local/bin
fi
unset $(env | sed -n -e 's/^\\(SQUEUE_[A-Z0-9_]*\\)=.*/\\1/p' -e 's/^\\(SCANCEL_[A-Z0-9_]*\\)=.*/\\1/p' \\
  -e 's/^\\(SCONTROL_[A-Z0-9_]*\\)=.*/\\1/p' -e 's/^\\(SACCT_[A-Z0-9_]*\\)=.*/\\1/p') \\
  SLURM_CLUSTERS SLURM_JOB_ID SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_TIME_FORMAT SBATCH_ARRAY_INX SBATCH_CLUSTERS \\
  SBATCH_CONTAINER SBATCH_DEBUG SBATCH_ERROR SBATCH_INPUT SBATCH_JOB_NAME SBATCH_NO_REQUEUE SBATCH_OPEN_MODE SBATCH_OUTPUT \\
  SBATCH_REQUEUE SBATCH_WAIT
base=\${QUENCH_HOME:-\${HOME:-/root}/.quench}
mkdir -p "$base/slurm" && cd "$base/slurm" || exit 73
base=$(pwd)
now=$(date +%s)
nap() { sleep 0.05 2>/dev/null || sleep 1; }
queue() {
  SLURM_TIME_FORMAT=%s LC_ALL=C squeue --noheader --all --states=all --user="$(id -u)" --format='J|%F|%K|%t|%S|%e|%j|%N|%r' "$@" \\
    </dev/null 2>".said.$$"
}
has_said() {
  [ -s ".said.$$" ]
  set -- $?
  cat ".said.$$" >&2
  rm -f ".said.$$"
  return "$1"
}
`

/**
 * Sets `job`, the id of the job called `$name`, or 0. Exit code 74: the controller did not say.
 *
 * A job is looked for by its name alone, which no other has: a name without a row counts only where squeue had no complaint.
 */
export const recall = `
recall() {
  job=0
  if [ ! -e "$name/job" ] && [ -d "$name/run" ]; then
    rows=$(queue --name="$name") || { has_said; exit 74; }
    found=$(printf '%s\\n' "$rows" | awk -F '|' -v name="$name" '$1 == "J" && $7 == name && $2 ~ /^[0-9]+$/ { print $2; exit }')
    if has_said && [ -z "$found" ]; then exit 74; fi
    [ -z "$found" ] || { echo "$found" >"$name/job.$$" && mv -f "$name/job.$$" "$name/job"; }
  fi
  [ ! -e "$name/job" ] || read -r job <"$name/job"
}
`
