import { InvalidInput } from '../../domain/errors.ts'
import type { CancelMode, CancelOutcome, Observation } from '../executor.ts'
import { describeJobs, library, prelude, runner } from './host-shell.ts'
import { shellQuote } from './shell-quote.ts'

/** The one process that a pid stood for: start time is field 22 of /proc/PID/stat, in clock ticks since boot. */
export interface ProcessIdentity {
  /** 0: the job's runner was not known yet, or there never was one. */
  readonly pid: number
  readonly startTime: number
  readonly bootId: string
}

export interface HostJob extends ProcessIdentity {
  readonly name: string
}

export interface HostCommand {
  readonly name: string
  /** Given to `sh -c`, after a space, so that a leading dash does not make it an option. */
  readonly command: string
  /** Relative to the home folder, which is also the default. */
  readonly cwd?: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutSeconds?: number
}

/** Names that make a folder and a line of a list as they are. */
export const hostJobName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

/** Names that a shell can export. */
export const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * The script that starts jobs, or adopts those that are there under their names, and prints an identity for each.
 *
 * Guarantees: run any number of times, also at the same time and after a crash at any point, it starts a job at most
 * once; it starts nothing after a kill came first. Exit code 73: nothing was started. When only some of several could be
 * started, the others have no identity or `none`.
 * Errors: InvalidInput for a name of a job or of a variable that cannot be one, and for a NUL.
 */
export function launchScript(...jobs: readonly HostCommand[]): string {
  return `${prelude}
all= names=
launch() {
  all="$all $name"
  mkdir "$name" 2>/dev/null
  [ -d "$name" ] || return
  if [ ! -d "$name/run" ] && [ ! -e "$name/fate" ]; then
    printf %s "$1" >"$name/command.$$" && mv -f "$name/command.$$" "$name/command" || return
    { printf '%s\\n' "$2"
      cat <<'QUENCH_RUNNER'
${library}${runner}
QUENCH_RUNNER
    } >"$name/runner.$$" && mv -f "$name/runner.$$" "$name/runner" || return
    export QUENCH_KEEPER="$name"
    if command -v setsid >/dev/null; then setsid sh "$name/runner" run "$mask" </dev/null >/dev/null 2>&1 &
    else nohup sh "$name/runner" run "$mask" </dev/null >/dev/null 2>&1 & fi
    unset QUENCH_KEEPER
  fi
  names="$names $name"
}
${jobs.map((job) => `name=${checkedName(job.name)}\nlaunch ${shellQuote(job.command)} ${shellQuote(settingsOf(job))} || [ -n "$names" ] || exit 73`).join('\n')}
tick
since=$now
for name in $names; do
  until [ -e "$name/identity" ] || [ -e "$name/fate" ] || [ $((now - since)) -gt 5 ]; do
    sleep 0.05 2>/dev/null || sleep 1
    tick
  done
done
${printIdentities('$all')}`
}

/** What a job's runner knows of it. */
function settingsOf({ name, cwd, environment, timeoutSeconds }: HostCommand): string {
  const variables = Object.entries(environment).map(([variable, value]) => {
    if (!environmentName.test(variable)) throw new InvalidInput(`${variable} is not a name of an environment variable`)
    return shellQuote(`${variable}=${value}`)
  })
  const folder = cwd === undefined || cwd.startsWith('/') ? cwd : `./${cwd}`
  return `name=${name}
limit=${timeoutSeconds === undefined ? '' : Math.ceil(timeoutSeconds)}
start_job() {
  cd "\${HOME:-/}" 2>/dev/null || cd /
  ${folder === undefined ? '' : `cd ${shellQuote(folder)} || exit 126`}
  exec env ${variables.join(' ')} "QUENCH_JOB=$name" /bin/sh -c " $command"
}`
}

/** The script that prints the identities of jobs, of those that the host has. */
export function findScript(...names: readonly string[]): string {
  return `${prelude}
${printIdentities(names.map(checkedName).join(' '))}`
}

const printIdentities = (names: string) => `for name in ${names}; do
  pid=0 start=0 on=$boot
  if [ ! -d "$name" ]; then echo 'none;'; continue; fi
  [ ! -e "$name/identity" ] || read -r pid start on began <"$name/identity"
  echo "job $pid $start $on;"
done
`

/** What `launchScript` and `findScript` printed, in order: as many as arrived whole. `none`: there is no such job. */
export function parseIdentities(stdout: string): readonly (ProcessIdentity | 'none')[] {
  const identities: (ProcessIdentity | 'none')[] = []
  for (const [, pid, startTime, bootId = ''] of stdout.matchAll(/^(?:none|job (\d+) (\d+) ([0-9a-f-]+));$/gm))
    identities.push(pid === undefined ? 'none' : { pid: Number(pid), startTime: Number(startTime), bootId })
  return identities
}

/** The first of `parseIdentities`. */
export const parseIdentity = (stdout: string): ProcessIdentity | 'none' | undefined => parseIdentities(stdout)[0]

/**
 * The script that observes jobs: one pass over /proc, one line a job.
 *
 * A job whose runner is gone without a trace (killed, or the host was restarted) is lost, but only when nothing of it is
 * alive: what is left is killed, and the job runs until that is done. Otherwise its next attempt would run beside it.
 * Jobs that were not started within 30 s of the first look are lost as well, and closed, so that they never start.
 */
export function pollScript(jobs: readonly HostJob[]): string {
  return `${prelude}${library}${describeJobs}
before() { :; }
fresh() {
  seen=
  [ ! -e "$name/seen" ] || read -r seen <"$name/seen"
  # One from before the host was booted again says nothing.
  { [ -n "$seen" ] && [ "$seen" -le "$now" ]; } || { seen=$now; echo "$now" >"$name/seen"; }
  [ $((now - seen)) -lt 30 ]
}
tell() {
  from=- to=-
  # Of another boot, nobody knows how long ago it was.
  if [ "$known" != identity ] || [ "$leader" != - ]; then
    [ "$began" = - ] || from=$((now - began))
    [ -z "$2" ] || to=$((now - $2))
  fi
  case $from in -[0-9]*) from=- ;; esac
  case $to in -[0-9]*) to=- ;; esac
  echo "$1 $from $to \${3:--};"
}
echo 'jobs;'
describe_jobs <<'QUENCH_HANDLES' | with_processes | while read -r name leader trusted known began mine bar procs; do
${listJobs(jobs)}
QUENCH_HANDLES
  [ "$bar" = '|' ] || break
  if [ -n "$procs" ]; then
    case "$known $procs" in
      *:l*) ;;
      run\\ *:j* | folder\\ *:j* | none* | identity*)
        # Whoever wrote an identity since then is alive and well.
        [ $known != identity ] && [ -e "$name/identity" ] || signal KILL jkh $procs ;;
      *) tell queued ''; continue ;;
    esac
    tell running ''
    continue
  fi
  if [ $known = none ]; then tell lost ''; continue; fi
  read_fate
  if [ -z "$fate" ]; then
    if [ $known != identity ] && fresh; then tell queued ''; continue; fi
    mkdir "$name/run" 2>/dev/null
    decide "$name" "lost $now"
    # The runner may have come to life since: it read fate after it wrote identity, so it may have started the job.
    if [ $known != identity ] && [ -e "$name/identity" ]; then tell running ''; continue; fi
    read_fate
  fi
  case $fate in cancelled | timedout)
    [ -e "$name/end" ] || echo "$now" >"$name/end"
    read -r when <"$name/end"
  esac
  tell "$fate" "$when" "$code"
done
echo 'end;'
`
}

/**
 * The script that stops jobs: fence first, then signals, one line a job.
 *
 * A job that was not started, or that the host has never heard of, is fenced by a tombstone. `graceful` sends TERM to all of
 * a job but its runner, and returns. `force` sends KILL to everything, again and again until two looks in a row find
 * nothing (a fork may hide from one), at most 40 times.
 */
export function cancelScript(jobs: readonly HostJob[], mode: CancelMode): string {
  const signals = mode === 'graceful' ? 'signal TERM jk $procs; signal CONT jk $procs' : 'signal KILL jklh $procs'
  const rounds = `
round=0 empty=0 looked=
while [ $empty -lt 2 ] && [ $round -lt 40 ]; do
  round=$((round + 1)) empty=$((empty + 1))
  left=$(echo "$list" | with_processes | {
    while read -r name leader trusted known began mine bar procs; do
      looked=1
      [ -z "$procs" ] || { signal KILL jklh $procs; echo 1; }
    done
    [ -n "$looked" ] || echo 1
  })
  [ -z "$left" ] || { empty=0; nap; }
done`
  return `${prelude}${library}${describeJobs}
before() {
  [ -d "$name" ] || mkdir "$name" 2>/dev/null
  [ -d "$name/run" ] || mkdir "$name/run" 2>/dev/null
  [ -e "$name/fate" ] || { ln ".cancelled.$$" "$name/fate" 2>/dev/null && mine=1; }
}
echo "cancelled $now" >".cancelled.$$" || exit 73
list=$(describe_jobs <<'QUENCH_HANDLES'
${listJobs(jobs)}
QUENCH_HANDLES
)
rm -f ".cancelled.$$"
echo "$list" | with_processes | while read -r name leader trusted known began mine bar procs; do
  [ "$bar" = '|' ] || break
  read_fate
  ${mode === 'force' ? signals : `case $fate in '' | cancelled) ${signals} ;; esac`}
  if [ -z "$fate" ]; then echo 'failed;'
  elif [ "$fate" = cancelled ] && { [ -n "$procs" ] || [ $mine = 1 ]; }; then echo 'accepted;'
  else echo 'ended;'; fi
done${mode === 'force' ? rounds : ''}
echo 'end;'
`
}

/** One line a group of jobs with the same dispatch and boot, one short line a job: 1,000 jobs are about 22 KB. */
function listJobs(jobs: readonly HostJob[]): string {
  let group = ''
  const lines: string[] = []
  for (const { name, pid, startTime, bootId } of jobs) {
    const prefix = /^.*?(?=\d+-\d+$)/.exec(checkedName(name))?.[0] ?? ''
    if (!/^[0-9a-f-]+$/.test(bootId)) throw new InvalidInput(`${bootId} is not a boot id`)
    const header = `@ .${prefix} ${bootId}`
    if (header !== group) lines.push(header)
    group = header
    lines.push(`${name.slice(prefix.length)} ${pid} ${startTime}`)
  }
  return lines.join('\n')
}

function checkedName(name: string): string {
  if (!hostJobName.test(name)) throw new InvalidInput(`${JSON.stringify(name)} cannot be the name of a job on a host`)
  return name
}

/** What a poll says of one job. */
export type HostReport = Omit<Observation, 'failure' | 'state'> & {
  readonly state: 'queued' | 'running' | 'ended' | 'timedout' | 'cancelled' | 'lost'
}

/**
 * The reports that `pollScript` printed, in order: as many as arrived whole.
 *
 * Shape: fewer than were asked for when the output was cut; ask again for the rest. What stands before them is not ours.
 * Units: epoch milliseconds by our clock, in steps of a second: the host says how long ago, we say when that was.
 */
export function parsePoll(stdout: string, observedAt: number): readonly HostReport[] {
  const all = stdout.split('\n')
  const lines = all.slice(all.indexOf('jobs;') + 1 || all.length)
  const instant = (ageSeconds: string | undefined) => observedAt - Number(ageSeconds) * 1000
  const reports: HostReport[] = []
  for (const line of lines) {
    const match = /^(queued|running|ended|timedout|cancelled|lost) (-|\d+) (-|\d+) (-|\d+);$/.exec(line)
    if (!match) break
    const [, state, from, to, code] = match
    reports.push({
      state: state as HostReport['state'],
      ...(from !== '-' && { startedAt: instant(from) }),
      ...(to !== '-' && { endedAt: instant(to) }),
      ...(code !== '-' && { exitCode: Number(code) }),
    })
  }
  return reports
}

/** The outcomes that `cancelScript` printed, in order: as many as arrived whole. */
export function parseCancel(stdout: string): readonly CancelOutcome['outcome'][] {
  const outcomes: CancelOutcome['outcome'][] = []
  for (const line of stdout.split('\n')) {
    const match = /^(accepted|ended|failed);$/.exec(line)
    if (!match) break
    outcomes.push(match[1] as CancelOutcome['outcome'])
  }
  return outcomes
}
