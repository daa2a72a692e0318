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
