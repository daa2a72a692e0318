import { InvalidInput } from '../../domain/errors.ts'
import type { CancelMode } from '../executor.ts'
import { hostJobName } from '../run-command/host-script.ts'
import type { SlurmReport } from './observe.ts'
import { recall, slurmPrelude, surveyJobs } from './shell.ts'

export interface SlurmJob {
  readonly name: string
  /** 0: not known when the job was launched, or there never was one. */
  readonly jobId: number
  /** One element of a job array. */
  readonly arrayIndex?: number
}

/** The script that prints the id of a job, if the cluster has one of this name. */
export function findSlurmScript(name: string): string {
  return `${slurmPrelude}${recall}
name=${checkedName(name)}
if [ ! -d "$name" ]; then echo 'none;'; exit; fi
recall
if [ "$job" = 0 ] && [ ! -d "$name/run" ] && [ ! -e "$name/fate" ]; then echo 'none;'; else echo "job $job;"; fi
`
}

/** What a launch and `findSlurmScript` printed; undefined where there is no answer. */
export function parseJobId(stdout: string): number | 'none' | undefined {
  if (/^none;$/m.test(stdout)) return 'none'
  const match = /^job (\d+);$/m.exec(stdout)
  return match ? Number(match[1]) : undefined
}

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
 * The script that stops jobs: tombstones first, then one squeue, then two scancel at most, one line a job (`parseCancel`).
 *
 * A job that was not submitted, or that the cluster has never heard of, is fenced by its tombstone.
 * `graceful`: a running job gets TERM by `scancel --full`, which reaches the batch script, its children and the srun steps,
 * and leaves the job as it is: the grace is ours (plain scancel sends KILL after the site's KillWait, and a job that is
 * COMPLETING by then takes no other signal). What does not run gets a plain scancel, which a signal would not reach.
 * `force`: KILL to the batch shell, upon which its slurmstepd kills at once what is left of the step, and then a plain scancel
 * for what that did not reach: jobs that do not run, and srun steps (TERM, and KILL after KillWait). KILL to the whole job
 * would be no faster: slurmctld takes `--signal=KILL` without `--batch` for a plain scancel (seen with 22.05).
 * A job array whose live elements are all meant goes by its base id.
 * Source: scancel(1), `--full`, `--signal`, `--ctld`, NOTES; slurm.conf(5), KillWait.
 */
export function cancelSlurmScript(jobs: readonly SlurmJob[], mode: CancelMode): string {
  const calls =
    mode === 'graceful'
      ? `[ -z "$awake" ] || stop --full --signal=TERM $awake
[ -z "$asleep" ] || stop $asleep`
      : `if [ -n "$awake" ]; then
  stop --batch --signal=KILL $awake
  failed=
  stop $awake
fi`
  return `${slurmPrelude}${surveyJobs}
before() {
  [ -d "$dir" ] || mkdir -p "$dir" 2>/dev/null
  [ -e "$dir/end" ] || [ -e "$dir/fate" ] || { ln ".cancelled.$$" "$dir/fate" 2>/dev/null && mine=1; }
}
each=${eachElement(jobs)}
echo "cancelled $now" >".cancelled.$$" || exit 73
rows=$(describe_jobs <<'QUENCH_HANDLES'
${listJobs(jobs)}
QUENCH_HANDLES
)
rm -f ".cancelled.$$"
ask_slurm
know ''
ids=$(printf '%s\\n' "$known" | awk -v force=${mode === 'force' ? 1 : 0} '
  $13 ~ /^(-|BF|CA|CD|CG|DL|F|NF|OOM|PR|TO)$/ || $5 == "ended" && !force || ($3, $4) in seen { next }
  {
    seen[$3, $4]
    id[++count] = $3
    index_of[count] = $4
    kind[count] = !force && $13 ~ /^(PD|CF|RD|RF|RH|RQ|S|SE|ST)$/ ? "asleep" : "awake"
    alive[$3] = $16
    wanted[$3, kind[count]]++
  }
  END {
    for (i = 1; i <= count; i++) {
      one = id[i]
      if (index_of[i] != "-" && wanted[one, kind[i]] != alive[one]) one = one "_" index_of[i]
      if (!((one, kind[i]) in done)) list[kind[i]] = list[kind[i]] " " one
      done[one, kind[i]]
    }
    print list["awake"] ";" list["asleep"]
  }')
awake=\${ids%;*} asleep=\${ids#*;} failed=
# One request for all ids, where this scancel can.
ctld=
case $(scancel --help 2>/dev/null </dev/null) in *--ctld*) ctld=--ctld ;; esac
stop() { scancel --quiet $ctld "$@" </dev/null >/dev/null || failed=1; }
${calls}
# A job that is being launched may refuse a signal; its batch script will find the tombstone before it starts anything.
printf '%s\\n' "$known" | while read_job; do
  case $state in
  -) alive= ;;
  BF | CA | CD | DL | F | NF | OOM | PR | TO)
    alive=
    # It had ended before the tombstone, by itself: that stays what is said of it.
    if [ $mine = 1 ] && [ ! -e "$dir/yielded" ]; then
      rm -f "$dir/fate"
      echo 'ended;'
      continue
    fi ;;
  *) alive=1 ;;
  esac
  if [ "$note" != - ] || [ $fate = ended ]; then echo 'ended;'
  elif [ $fate = - ] || { [ -n "$failed" ] && [ -n "$alive" ] && [ "$began" != - ] && [ ! -e "$dir/yielded" ]; }; then echo 'failed;'
  elif [ $fate = cancelled ] && { [ -n "$alive" ] || [ $mine = 1 ]; }; then echo 'accepted;'
  else echo 'ended;'; fi
done
echo 'end;'
`
}

const eachElement = (jobs: readonly SlurmJob[]) =>
  jobs.some(({ arrayIndex }) => arrayIndex !== undefined) ? '--array' : ''

/** One line a group of jobs with the same dispatch, one short line a job: 1,000 jobs are about 15 KB. */
function listJobs(jobs: readonly SlurmJob[]): string {
  let group = ''
  const lines: string[] = []
  for (const { name, jobId, arrayIndex } of jobs) {
    const prefix = /^.*?(?=\d+-\d+$)/.exec(checkedName(name))?.[0] ?? ''
    const header = `@ .${prefix}`
    if (header !== group) lines.push(header)
    group = header
    lines.push(`${name.slice(prefix.length)} ${jobId}${arrayIndex === undefined ? '' : `_${arrayIndex}`}`)
  }
  return lines.join('\n')
}

/** Errors: InvalidInput where it cannot be the name of a job and of its folder. */
export function checkedName(name: string): string {
  if (!hostJobName.test(name))
    throw new InvalidInput(`${JSON.stringify(name)} cannot be the name of a job on a cluster`)
  return name
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
