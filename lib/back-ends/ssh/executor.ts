import { BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import type { Failure } from '../../domain/failure.ts'
import type {
  CancelMode,
  CancelOutcome,
  Deadline,
  Executor,
  Found,
  Handle,
  JobQuery,
  JobSpec,
  Observation,
} from '../executor.ts'
import { foundOf } from '../find-each.ts'
import { inGroups } from '../in-groups.ts'
import { askHosts, type HostQuestion } from '../run-command/ask-hosts.ts'
import { explainAbsence, hostAway } from '../run-command/host-absence.ts'
import { readHostLog } from '../run-command/host-log.ts'
import {
  cancelScript,
  findScript,
  type HostCommand,
  type HostReport,
  launchScript,
  type ProcessIdentity,
  parseCancel,
  parseIdentities,
  parseIdentity,
  parsePoll,
  pollScript,
} from '../run-command/host-script.ts'
import { prelude } from '../run-command/host-shell.ts'
import { HostUnreachable } from '../run-command/host-unreachable.ts'
import { type RunCommand, runScript } from '../run-command/run-command.ts'
import { type Hosts, type SshHandle, sshFacts, type TaskOptions } from './facts.ts'

export interface SshOptions extends RunCommand {
  /** The hosts that tasks may name. */
  readonly hosts: Hosts
}

/**
 * Jobs as processes on Linux hosts, reached through Systems Manager: no keys, no open ports.
 *
 * One command a host polls or stops all its handles; `host-shell.ts` says what happens there. A host that does not answer
 * costs its own handles their answers, not those of other hosts. A job's output stays on its host.
 */
export function createSshExecutor({ hosts, ...runCommand }: SshOptions): Executor {
  const facts = sshFacts(hosts)

  const instanceOf = (host: string): string => {
    const instanceId = hosts[host]?.instanceId
    if (instanceId === undefined) throw new BackendRejected(`there is no host ${host} any more`)
    return instanceId
  }

  /** Run a script that prints an identity: the handle, or undefined where the host has no such job. */
  const identify = async (
    { name, options }: JobQuery,
    script: string,
    deadline: Deadline | undefined,
  ): Promise<Handle | undefined> => {
    const { host } = options as TaskOptions
    const instanceId = instanceOf(host)
    const { exitCode, stdout, stderr } = await runScript(
      runCommand,
      { instanceId, script, comment: name },
      deadline,
    ).catch(async (error: unknown) => {
      if (!(error instanceof HostUnreachable)) throw error
      const { kind, message } = await explainAbsence(runCommand, instanceId, deadline)
      throw kind === 'gone' ? goneFor(host, message) : error
    })
    const identity = parseIdentity(stdout)
    if (identity === 'none') return undefined
    if (identity) return { host, instanceId, name, ...identity }
    // 73: the script gave up before it did anything, for example since it may not write its folder.
    const arrived = exitCode === 73 ? 'no' : 'unknown'
    throw new BackendUnavailable(`${host}: exit code ${exitCode}. ${stderr.slice(0, 500)}`, { arrived })
  }

  /** One launcher for many jobs on a host, each with its own folder and name; as many commands as their texts need. */
  const askIdentities = async (
    jobs: readonly JobQuery[],
    question: HostQuestion<Identity>,
    deadline: Deadline | undefined,
  ) => {
    const asked = jobs.map(({ name, options }) => {
      const { host } = options as TaskOptions
      return { host, instanceId: instanceOf(host), name, pid: 0, startTime: 0, bootId: '-' }
    })
    const answers = await askHosts(runCommand, asked, question, deadline)
    return asked.map((job, index) => ({ job, answer: answers[index] as Identity }))
  }

  const identifyAll = async (
    jobs: readonly JobQuery[],
    question: HostQuestion<Identity>,
    deadline: Deadline | undefined,
  ): Promise<readonly (Handle | undefined)[]> => {
    const answers = await askIdentities(jobs, question, deadline)
    return answers.map(({ job, answer }) => {
      if (answer instanceof BackendRejected) throw answer
      // Some of it had an effect: that of this one is not known.
      if (answer instanceof Error) throw new BackendUnavailable(answer.message, { arrived: 'unknown', cause: answer })
      return answer === 'none' ? undefined : { ...job, ...answer }
    })
  }

  return {
    ...facts,

    submit: async (job, deadline) => {
      const handle = await identify(job, launchScript(hostCommand(job)), deadline)
      if (!handle) throw new BackendUnavailable(`${job.name} is not there after its launch`, { arrived: 'unknown' })
      return handle
    },
    find: async (jobs, deadline) => {
      return inGroups({
        items: jobs,
        // One that is configured no more costs no other host its answers.
        keyOf: ({ options }) => (options as TaskOptions).host,
        ask: async (_, group) => {
          const answers = await askIdentities(group, finding, deadline)
          return answers.map(({ job, answer }): Found => {
            if (answer instanceof Error) return { outcome: 'unknown', message: answer.message }
            return foundOf(answer === 'none' ? undefined : { ...job, ...answer })
          })
        },
        failed: ({ message }) => ({ outcome: 'unknown', message }),
      })
    },
    forestall: async ({ name, options }, deadline) => {
      // To the host, a cancel of a job that it never heard of is an order to keep it from starting.
      const { host } = options as TaskOptions
      const handle: SshHandle = { host, instanceId: instanceOf(host), name, pid: 0, startTime: 0, bootId: '-' }
      const [answer] = await askHosts(runCommand, [handle], stopping('force'), deadline)
      if (answer?.outcome === 'failed') throw new BackendUnavailable(answer.message ?? host, { arrived: 'unknown' })
      return handle
    },
    packing: {
      ...facts.packing,
      submit: async (jobs, name, deadline) => {
        const handles = await identifyAll(jobs, launching(jobs), deadline)
        const missing = handles.filter((handle) => !handle).length
        // Whoever looks for the others by name tells which are there.
        if (missing > 0) {
          const why = `${missing} of the ${jobs.length} jobs of ${name} are not there after their launch`
          throw new BackendUnavailable(why, { arrived: 'unknown' })
        }
        return handles as readonly Handle[]
      },
      find: (jobs, _name, deadline) => identifyAll(jobs, finding, deadline),
    },
    poll: (handles, deadline) => askHosts(runCommand, handles as readonly SshHandle[], observing, deadline),
    cancel: (handles, { mode }, deadline) =>
      askHosts(runCommand, handles as readonly SshHandle[], stopping(mode), deadline),
    readLog: (handle, place, deadline) => {
      const { instanceId, name } = handle as SshHandle
      return readHostLog(runCommand, { instanceId, folder: name, prelude, ...place }, deadline)
    },
  }
}

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
  absent: ({ kind }) => (kind === 'gone' ? 'none' : undefined),
}

/** Nothing can be begun on such a host any more, however often it is tried. */
const goneFor = (host: string, message: string) =>
  new BackendRejected(`host ${host} is no more: ${message}. Give its name to another machine, and redrive`)

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
    absent: ({ kind, message }) => (kind === 'gone' ? goneFor(hostOf(jobs), message) : undefined),
    script: (asked) => launchScript(...asked.map(({ name }) => commands.get(name) as HostCommand)),
  }
}

const hostOf = ([job]: readonly JobSpec[]): string => (job?.options as TaskOptions | undefined)?.host ?? ''

const observing: HostQuestion<Observation> = {
  comment: 'poll jobs',
  script: pollScript,
  parse: (stdout) => parsePoll(stdout, Date.now()).map(observe),
  failed: ({ code, message }) => ({ state: 'unknown', failure: { code, message, retryable: true, source: 'ssh' } }),
  absent: ({ kind, message }) => (kind === 'gone' ? { state: 'lost' } : hostAway(message, 'ssh')),
}

const stopping = (mode: CancelMode): HostQuestion<CancelOutcome> => ({
  comment: `stop jobs, ${mode}`,
  script: (jobs) => cancelScript(jobs, mode),
  parse: (stdout) => parseCancel(stdout).map((outcome) => ({ outcome })),
  failed: ({ message }) => ({ outcome: 'failed', message }),
  absent: ({ kind, message }) => ({ outcome: kind === 'gone' ? 'unknown' : 'failed', message }),
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
