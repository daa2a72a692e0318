import { eachElement, listJobs, type SlurmJob } from './job-list.ts'
import type { SlurmReport } from './observe.ts'
import { slurmPrelude } from './shell.ts'
import { surveyJobs } from './survey.ts'

/**
 * The script that observes jobs: one squeue, one line a job.
 *
 * The first look that sees an end keeps it in the job's folder, so the answer stays when Slurm forgets. A job that nobody
 * knows any more, and that left no end, is lost, and closed, so that it never starts. A job whose id is not known is
 * waited for 30 s.
 */
export function pollSlurmScript(jobs: readonly SlurmJob[]): string {
  return `${slurmPrelude}${surveyJobs}
before() { :; }
fresh() {
  seen=
  [ ! -e "$dir/seen" ] || read -r seen <"$dir/seen"
  [ -n "$seen" ] || { seen=$now; echo "$now" >"$dir/seen"; }
  [ $((now - seen)) -lt 30 ]
}
age() { [ "$1" = - ] || echo $((now - $1)); }
tell() {
  from=$(age "$2") to=$(age "$3")
  echo "$1 \${fate%"\${fate#?}"} \${from:--} \${to:--} $code;"
}
keep() {
  [ ! -d "$dir" ] || { echo "$1 $2 $3" >"$dir/end.$$" && mv -f "$dir/end.$$" "$dir/end"; }
  tell "$1" "$2" "$3"
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
echo "at $now;"
printf '%s\\n' "$known" | while read_job; do
  case $state in
  CA) start=$began ;;
  *) [ "$began" = - ] || start=$began ;;
  esac
  [ "$fate" != ended ] || end=$when
  if [ "$note" != - ]; then tell "$note" "$from" "$to"; continue; fi
  case $state in
  -) ;;
  BF | CA | CD | DL | F | NF | OOM | PR | TO | *_FAIL | CANCELLED | COMPLETED | DEADLINE | FAILED | OUT_OF_MEMORY | PREEMPTED | TIMEOUT)
    # A batch script that was killed has left the rest to its sweeper, which is gone as well where the site uses cgroups.
    if [ "$began" != - ] && [ "$end" != - ] && [ ! -e "$dir/swept" ]; then
      case $((now - end)) in 0 | 1 | 2) tell CG "$start" -; continue ;; esac
    fi
    keep "$state" "$start" "$end"
    continue ;;
  *) tell "$state" "$start" -; continue ;;
  esac
  if [ $fate = - ] || [ $fate = cancelled ]; then
    # sbatch may be on its way.
    if [ "$job" = 0 ] && [ -d "$name/run" ] && fresh; then tell PD - -; continue; fi
    if [ $fate = cancelled ]; then keep CA "$began" "$now"; continue; fi
    if [ -d "$dir" ]; then
      echo "lost $now" >"$dir/fate.$$" && ln "$dir/fate.$$" "$dir/fate" 2>/dev/null
      rm -f "$dir/fate.$$"
      read -r fate when code <"$dir/fate"
      code=\${code:--} end=$when
    fi
  fi
  tell - "$began" "$end"
done
echo 'end;'
`
}

/**
 * The reports that `pollSlurmScript` printed, in order: as many as arrived whole.
 *
 * Shape: fewer than were asked for when the output was cut; ask again for the rest.
 * Units: epoch milliseconds by the login node's clock, in steps of a second.
 */
export function parseSlurmPoll(stdout: string): readonly SlurmReport[] {
  const [first = '', ...lines] = stdout.split('\n')
  const now = Number(/^at (\d+);$/.exec(first)?.[1])
  const instant = (age: string | undefined) => (now - Number(age)) * 1000
  const reports: SlurmReport[] = []
  for (const line of lines) {
    const match = /^([A-Z_]+|-) ([ecl-]) (-|-?\d+) (-|-?\d+) (-|\d+);$/.exec(line)
    if (!match || Number.isNaN(now)) break
    const [, state = '-', letter = '-', from, to, code] = match
    const fate = fates[letter]
    reports.push({
      ...(state !== '-' && { state }),
      ...(fate !== undefined && { fate }),
      ...(from !== '-' && { startedAt: instant(from) }),
      ...(to !== '-' && { endedAt: instant(to) }),
      ...(code !== '-' && { exitCode: Number(code) }),
    })
  }
  return reports
}

const fates: Readonly<Record<string, 'ended' | 'cancelled' | 'lost'>> = { e: 'ended', c: 'cancelled', l: 'lost' }
