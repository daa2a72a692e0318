import { eachElement, listJobs, type SlurmJob } from './job-list.ts'
import type { SlurmProof, SlurmReport } from './observe.ts'
import { slurmPrelude } from './shell.ts'
import { surveyJobs } from './survey.ts'

/**
 * The script that observes jobs: one squeue, one line a job.
 *
 * The first look that sees an end keeps it in the job's folder, so the answer stays when Slurm forgets. A job whose id is not
 * known is waited for 30 s.
 *
 * That Slurm shows nothing of a job is no end (`?`: ask again), unless the controller says that it has no such job. One that
 * never began is closed then, so that it never will. One that began may live on, for a controller that started afresh knows
 * of none: it is over when its sweeper has left `swept`, or when nobody beside it has taken `absent` away for 90 s (NFS clients
 * see a new file after 60 s at the latest; nfs(5), acdirmax).
 *
 * Nor is every end that Slurm tells: unless it keeps the processes of a job together itself (ProctrackType, asked when it
 * matters), something may live that it has lost. Then the job runs until its sweeper says that nothing does; a sweeper that
 * takes no `unswept` away for 90 s is gone, with its node or by the job's hand, and the end rests on Slurm's word alone (`u`).
 * These waits are measured by the machine's uptime.
 */
export function pollSlurmScript(jobs: readonly SlurmJob[]): string {
  return `${slurmPrelude}${surveyJobs}
before() { :; }
read -r boot </proc/sys/kernel/random/boot_id && read -r up rest </proc/uptime || exit 73
up=\${up%.*}
# Whether the stamp in file $1 was made $2 seconds ago; makes it where there is none of this boot, and with $3 its folder.
has_aged() {
  on= since=
  [ ! -e "$1" ] || read -r on since <"$1"
  if [ "$on" != "$boot" ] || [ -z "$since" ]; then
    since=$up
    { [ -d "$dir" ] || [ -z "$3" ] || mkdir -p "$dir"; } && [ -d "$dir" ] && echo "$boot $up" >"$1.$$" && mv -f "$1.$$" "$1"
  fi
  [ $((up - since)) -ge "$2" ]
}
# Sets age, in seconds. What lies ahead is now: the clocks of a cluster are a little apart.
age_of() {
  age=-
  [ "$1" = - ] || age=$((now - $1))
  case $age in -[0-9]*) age=0 ;; esac
}
tell() {
  from=$2
  age_of "$3"
  to=$age
  age_of "$from"
  from=$age
  echo "$1 \${fate%"\${fate#?}"} $from $to $code $proof\${why:+ $why};"
}
keep() {
  [ ! -d "$dir" ] || { echo "$1 $2 $3 $proof $why" >"$dir/end.$$" && mv -f "$dir/end.$$" "$dir/end"; }
  tell "$1" "$2" "$3"
}
is_kept_by_slurm() {
  [ -n "$tracking" ] || tracking=$(LC_ALL=C scontrol show config </dev/null 2>/dev/null | awk '$1 == "ProctrackType" { print $3; exit }')
  [ "$tracking" = proctrack/cgroup ]
}
tracking=
# No row, no end, no exit code.
tell_absent() {
  if [ "$job" = 0 ]; then
    # sbatch may be on its way.
    if [ -d "$name/run" ]; then
      [ -z "$doubt" ] || { tell '?' - -; return; }
      has_aged "$dir/seen" 30 || { tell PD - -; return; }
    fi
  elif ! is_gone; then
    tell '?' "$began" -
    return
  elif [ "$began" != - ] && [ "$proof" = - ]; then
    has_aged "$dir/absent" 90 1 || { tell '?' "$began" -; return; }
  elif [ "$began" = - ] && [ $fate = - ]; then
    # Not closed by the first word: what Slurm did not know a moment ago may be in its queue the next.
    has_aged "$dir/absent" 20 || { tell - - -; return; }
  fi
  if [ $fate = cancelled ]; then keep CA "$began" "$now"; return; fi
  if [ -d "$dir" ]; then
    echo "lost $now" >"$dir/fate.$$" && ln "$dir/fate.$$" "$dir/fate" 2>/dev/null
    rm -f "$dir/fate.$$"
    read -r fate when code <"$dir/fate"
    code=\${code:--} end=$when
  fi
  tell - "$began" "$end"
}
each=${eachElement(jobs)}
# Slurm first: a job that has ended by its word has left its exit code before.
ask_slurm
rows=$(describe_jobs <<'QUENCH_HANDLES'
${listJobs(jobs)}
QUENCH_HANDLES
)
know ''
ask_accounts
ask_controller
echo 'jobs;'
printf '%s\\n' "$known" | while read_job; do
  case $state in
  CA) start=$began ;;
  *) [ "$began" = - ] || start=$began ;;
  esac
  [ "$fate" != ended ] || end=$when
  if [ "$note" != - ]; then tell "$note" "$from" "$to"; continue; fi
  if [ $state = - ]; then
    case $fate in
    ended | lost) tell - "$began" "$end" ;;
    *) tell_absent ;;
    esac
    continue
  fi
  [ ! -e "$dir/absent" ] || rm -f "$dir/absent"
  case $state in
  BF | CA | CD | DL | F | NF | OOM | PR | TO | *_FAIL | CANCELLED | COMPLETED | DEADLINE | FAILED | OUT_OF_MEMORY | PREEMPTED | TIMEOUT)
    # A job that had a node is over when its sweeper says so, or where Slurm itself keeps all processes of a job together.
    if [ "$proof" = - ] && { [ "$began" != - ] || [ "$ran" = 1 ]; }; then
      if is_kept_by_slurm; then proof=s
      elif has_aged "$dir/unswept" 90 1; then proof=u
      else tell CG "$start" -; continue; fi
    fi
    keep "$state" "$start" "$end" ;;
  *) tell "$state" "$start" - ;;
  esac
done
echo 'end;'
`
}

/**
 * The reports that `pollSlurmScript` printed, in order: as many as arrived whole.
 *
 * Shape: fewer than were asked for when the output was cut; ask again for the rest.
 * Units: epoch milliseconds by our clock, in steps of a second: the cluster says how long ago, we say when that was. Its own
 * clocks are never more than five minutes apart, or nothing works there. Source: munged(8), TTL.
 */
export function parseSlurmPoll(stdout: string, observedAt: number): readonly SlurmReport[] {
  const all = stdout.split('\n')
  const lines = all.slice(all.indexOf('jobs;') + 1 || all.length)
  const instant = (ageSeconds: string | undefined) => observedAt - Number(ageSeconds) * 1000
  const reports: SlurmReport[] = []
  for (const line of lines) {
    const match = /^([A-Z_]+|-|\?) ([ecl-]) (-|\d+) (-|\d+) (-|\d+) ([a-z-])(?: (.+))?;$/.exec(line)
    if (!match) break
    const [, state = '-', letter = '-', from, to, code, proof, why] = match
    const fate = fates[letter]
    reports.push({
      ...(state !== '-' && { state }),
      ...(fate !== undefined && { fate }),
      ...(from !== '-' && { startedAt: instant(from) }),
      ...(to !== '-' && { endedAt: instant(to) }),
      ...(code !== '-' && { exitCode: Number(code) }),
      ...(proof !== undefined && proof in proofs && { proof: proofs[proof] as SlurmProof }),
      seenAt: observedAt,
      ...(why !== undefined && { why }),
    })
  }
  return reports
}

/** By the first letter of what the sweeper has written; `s` and `u` are the script's own. */
const proofs: Readonly<Record<string, SlurmProof>> = {
  b: { containment: 'best effort', what: 'best effort: quiet for 2 s' },
  c: { containment: 'cgroup', what: 'cgroup populated 0' },
  n: { what: 'nothing was started' },
  s: { containment: 'cgroup', what: 'its state in Slurm, which holds jobs by cgroups (proctrack/cgroup)' },
  u: { containment: 'best effort', what: 'best effort: its state in Slurm, whose sweeper did not answer' },
}

const fates: Readonly<Record<string, 'ended' | 'cancelled' | 'lost'>> = { e: 'ended', c: 'cancelled', l: 'lost' }
