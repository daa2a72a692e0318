import { z } from 'zod'
import { BackendRejected, BackendUnavailable, InvalidInput } from '../domain/errors.ts'
import type { Failure } from '../domain/failure.ts'
import type { JsonObject } from '../domain/json.ts'
import { askHosts, type HostQuestion } from './ask-hosts.ts'
import { commandOptions } from './command-options.ts'
import type { CancelMode, CancelOutcome, Executor, Handle, JobQuery, JobSpec, Observation } from './executor.ts'
import { readHostLog } from './host-log.ts'
import {
  cancelScript,
  findScript,
  type HostCommand,
  type HostReport,
  hostJobName,
  launchScript,
  type ProcessIdentity,
  parseCancel,
  parseIdentities,
  parseIdentity,
  parsePoll,
  pollScript,
} from './host-script.ts'
import { prelude } from './host-shell.ts'
import { maxScriptBytes, type RunCommand, runScript, scriptBytes } from './run-command.ts'

export interface SshOptions extends RunCommand {
  /** The hosts that tasks may name. */
  readonly hosts: Hosts
}

type Hosts = Readonly<Record<string, { readonly instanceId: string }>>

/**
 * Jobs as processes on Linux hosts, reached through Systems Manager: no keys, no open ports.
 *
 * One command a host polls or stops all its handles; `host-shell.ts` says what happens there. A host that does not answer
 * costs its own handles their answers, not those of other hosts. A job's output stays on its host.
 */
export function createSshExecutor({ hosts, ...runCommand }: SshOptions): Executor {
  const instanceOf = (host: string): string => {
    const instanceId = hosts[host]?.instanceId
    if (instanceId === undefined) throw new BackendRejected(`there is no host ${host} any more`)
    return instanceId
  }

  /** Run a script that prints an identity: the handle, or undefined where the host has no such job. */
  const identify = async (name: string, options: JsonObject, script: string): Promise<Handle | undefined> => {
    const { host } = options as TaskOptions
    const instanceId = instanceOf(host)
    const { exitCode, stdout, stderr } = await runScript(runCommand, { instanceId, script, comment: name })
    const identity = parseIdentity(stdout)
    if (identity === 'none') return undefined
    if (identity) return { host, instanceId, name, ...identity }
    // 73: the script gave up before it did anything, for example since it may not write its folder.
    const arrived = exitCode === 73 ? 'no' : 'unknown'
    throw new BackendUnavailable(`${host}: exit code ${exitCode}. ${stderr.slice(0, 500)}`, { arrived })
  }

  /** One launcher for many jobs on a host, each with its own folder and name; as many commands as their texts need. */
  const identifyAll = async (
    jobs: readonly JobQuery[],
    question: HostQuestion<Identity>,
  ): Promise<readonly (Handle | undefined)[]> => {
    const asked = jobs.map(({ name, options }) => {
      const { host } = options as TaskOptions
      return { host, instanceId: instanceOf(host), name, pid: 0, startTime: 0, bootId: '-' }
    })
    const answers = await askHosts(runCommand, asked, question)
    return asked.map((job, index) => {
      const answer = answers[index] as Identity
      // Some of it had an effect: that of this one is not known.
      if (answer instanceof Error) throw new BackendUnavailable(answer.message, { arrived: 'unknown', cause: answer })
      return answer === 'none' ? undefined : { ...job, ...answer }
    })
  }

  return {
    name: 'ssh',
    adopts: true,
    optionsSchema: optionsSchema(hosts),
    handleSchema,
    iamActions: ['ssm:SendCommand', 'ssm:GetCommandInvocation'],
    // A launch is a command of its own, unless it is a pack's; 1,000 handles of a host are one, or two where the output
    // is long.
    chunk: { submit: 25, poll: 1000, cancel: 1000 },

    submit: async (job) => {
      const handle = await identify(job.name, job.options, launchScript(hostCommand(job)))
      if (!handle) throw new BackendUnavailable(`${job.name} is not there after its launch`, { arrived: 'unknown' })
      return handle
    },
    find: ({ name, options }) => identify(name, options, findScript(name)),
    forestall: async ({ name, options }) => {
      // To the host, a cancel of a job that it never heard of is an order to keep it from starting.
      const { host } = options as TaskOptions
      const handle: SshHandle = { host, instanceId: instanceOf(host), name, pid: 0, startTime: 0, bootId: '-' }
      const [answer] = await askHosts(runCommand, [handle], stopping('force'))
      if (answer?.outcome === 'failed') throw new BackendUnavailable(answer.message ?? host, { arrived: 'unknown' })
      return handle
    },
    packing: {
      problem: (options) => {
        const used = [...new Set(options.map(({ host }) => host))]
        return used.length > 1 ? `members of a pack run on one host, not on ${used.join(', ')}` : undefined
      },
      mayDifferInNeeds: true,
      submit: async (jobs, name) => {
        const handles = await identifyAll(jobs, launching(jobs))
        const missing = handles.filter((handle) => !handle).length
        // Whoever looks for the others by name tells which are there.
        if (missing > 0) {
          const why = `${missing} of the ${jobs.length} jobs of ${name} are not there after their launch`
          throw new BackendUnavailable(why, { arrived: 'unknown' })
        }
        return handles as readonly Handle[]
      },
      find: (jobs) => identifyAll(jobs, finding),
    },
    poll: (handles) => askHosts(runCommand, handles as readonly SshHandle[], observing),
    cancel: (handles, { mode }) => askHosts(runCommand, handles as readonly SshHandle[], stopping(mode)),
    readLog: (handle, place) => {
      const { instanceId, name } = handle as SshHandle
      return readHostLog(runCommand, { instanceId, folder: name, prelude, ...place })
    },
  }
}

/** Bytes of a launch kept free for the `QUENCH_…` variables, which are not known when a graph is checked. */
const reservedBytes = 8_000

const taskOptions = z.strictObject({
  host: z.string(),
  ...commandOptions,
})

type TaskOptions = z.infer<typeof taskOptions>

function optionsSchema(hosts: Hosts): Executor['optionsSchema'] {
  const known = Object.keys(hosts)
  return taskOptions.superRefine(({ host, ...command }, context) => {
    if (!known.includes(host)) {
      const choice = known.length === 0 ? 'no host is configured' : `must be one of ${known.join(', ')}`
      context.addIssue({ code: 'custom', path: ['host'], message: choice })
    }
    const excessBytes = sizeBytes(command) - maxScriptBytes + reservedBytes
    if (excessBytes > 0) {
      const message = `command and environment are ${excessBytes} bytes too long for Run Command (64 KB in all): put them into a file`
      context.addIssue({ code: 'custom', path: ['command'], message })
    }
  })
}

function sizeBytes(command: Omit<TaskOptions, 'host'>): number {
  try {
    return scriptBytes(launchScript({ name: 'size', environment: {}, ...command }))
  } catch (error) {
    // What cannot be quoted has a problem of its own already.
    if (error instanceof InvalidInput) return 0
    throw error
  }
}

const handleSchema = z.strictObject({
  host: z.string(),
  instanceId: z.string(),
  name: z.string().regex(hostJobName),
  pid: z.int().nonnegative(),
  startTime: z.int().nonnegative(),
  bootId: z.string().regex(/^[0-9a-f-]+$/),
})

type SshHandle = z.infer<typeof handleSchema>

function hostCommand({ name, options, environment, timeoutSeconds }: JobSpec): HostCommand {
  const { command, cwd, environment: own } = options as TaskOptions
  return {
    name,
    command,
    environment: { ...own, ...environment },
    ...(cwd !== undefined && { cwd }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  }
}

type Identity = ProcessIdentity | 'none' | Error

const finding: HostQuestion<Identity> = {
  comment: 'find jobs',
  script: (jobs) => findScript(...jobs.map(({ name }) => name)),
  parse: parseIdentities,
  failed: (error) => error,
}

/** Asked again, a launch adopts what is there. */
function launching(jobs: readonly JobSpec[]): HostQuestion<Identity> {
  const commands = new Map(
    jobs.map((job, index) => {
      const environment = { ...job.environment, QUENCH_TASK_INDEX: String(index) }
      return [job.name, hostCommand({ ...job, environment })]
    }),
  )
  return {
    ...finding,
    comment: 'start jobs',
    script: (asked) => launchScript(...asked.map(({ name }) => commands.get(name) as HostCommand)),
  }
}

const observing: HostQuestion<Observation> = {
  comment: 'poll jobs',
  script: pollScript,
  parse: (stdout) => parsePoll(stdout).map(observe),
  failed: ({ code, message }) => ({ state: 'unknown', failure: { code, message, retryable: true, source: 'ssh' } }),
}

const stopping = (mode: CancelMode): HostQuestion<CancelOutcome> => ({
  comment: `stop jobs, ${mode}`,
  script: (jobs) => cancelScript(jobs, mode),
  parse: (stdout) => parseCancel(stdout).map((outcome) => ({ outcome })),
  failed: ({ message }) => ({ outcome: 'failed', message }),
})

function observe({ state, ...rest }: HostReport): Observation {
  const failure = (code: string, message: string): Failure => ({ code, message, retryable: false, source: 'ssh' })
  switch (state) {
    case 'ended':
      if (rest.exitCode === 0) return { state: 'succeeded', ...rest }
      return { state: 'failed', ...rest, failure: failure('NonZeroExit', explainExit(rest.exitCode ?? 0)) }
    case 'timedout':
      return { state: 'failed', ...rest, failure: failure('TimedOut', 'stopped on its host after its timeoutSeconds') }
    default:
      return { state, ...rest }
  }
}

/** A shell reports 128 and the signal's number for a command that a signal ended. */
const explainExit = (code: number) => `exit code ${code}${code > 128 ? ` (signal ${code - 128})` : ''}`
