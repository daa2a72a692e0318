import { BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import type {
  CancelMode,
  CancelOutcome,
  Deadline,
  Executor,
  Handle,
  JobQuery,
  JobSpec,
  Observation,
} from '../executor.ts'
import { findEach } from '../find-each.ts'
import { inGroups } from '../in-groups.ts'
import { askHosts, type HostQuestion } from '../run-command/ask-hosts.ts'
import { hostAway } from '../run-command/host-absence.ts'
import { readHostLog } from '../run-command/host-log.ts'
import { parseCancel } from '../run-command/host-script.ts'
import { type RunCommand, runScript } from '../run-command/run-command.ts'
import { asUser } from './as-user.ts'
import { cancelSlurmScript } from './cancel-script.ts'
import { type SlurmHandle, slurmFacts } from './facts.ts'
import { findSlurmScript, parseJobId } from './find-script.ts'
import { launchArrayScripts, launchSlurmScript, type SlurmCommand } from './launch.ts'
import { observeSlurm } from './observe.ts'
import { type Clusters, sbatchOptions, type TaskOptions } from './options.ts'
import { packTimeoutProblem } from './packing.ts'
import { parseSlurmPoll, pollSlurmScript } from './poll-script.ts'
import { slurmPrelude } from './shell.ts'

export interface SlurmOptions extends RunCommand {
  /** The clusters that tasks may name, by a login node each. */
  readonly clusters: Clusters
}

/**
 * Jobs on Slurm clusters, reached through Systems Manager on a login node; `slurm-shell.ts` says what happens there.
 *
 * One command a cluster polls or stops all its handles. A pack is one job array. A cluster that does not answer, or that is
 * configured no more, costs its own handles their answers, not those of others. A job's output stays on its cluster.
 * Source: slurm.schedmd.com: sbatch(1), squeue(1), scancel(1), sacct(1).
 */
export function createSlurmExecutor({ clusters, ...runCommand }: SlurmOptions): Executor {
  const facts = slurmFacts(clusters)
  const [onlyCluster] = Object.keys(clusters)

  /** Run a script that prints a job's id: the handle, or undefined where the cluster has no such job. */
  const identify = async (
    { name, options }: Pick<JobQuery, 'name' | 'options'>,
    script: string,
    deadline: Deadline | undefined,
  ): Promise<Handle | undefined> => {
    const cluster = (options as TaskOptions).cluster ?? onlyCluster ?? ''
    const login = loginOf(cluster)
    const { instanceId } = login
    const { exitCode, stdout, stderr } = await runScript(
      runCommand,
      { instanceId, script: asUser(login.user, script), comment: name },
      deadline,
    )
    const jobId = parseJobId(stdout)
    if (jobId === 'none') return undefined
    if (jobId !== undefined) return { cluster, instanceId, jobId, name }
    const why = stderr.trim().slice(0, 500)
    if (exitCode === 77 && !isPassing(why)) throw new BackendRejected(`${cluster}: ${why}`)
    const arrived = exitCode === 73 || exitCode === 77 ? 'no' : 'unknown'
    throw new BackendUnavailable(`${cluster}: exit code ${exitCode}. ${why}`, { arrived })
  }

  /** Run a script that submits nothing yet. */
  const prepare = async (
    { name, options }: Pick<JobQuery, 'name' | 'options'>,
    script: string,
    deadline: Deadline | undefined,
  ): Promise<void> => {
    const cluster = (options as TaskOptions).cluster ?? onlyCluster ?? ''
    const { instanceId, user } = loginOf(cluster)
    try {
      const { exitCode, stderr } = await runScript(
        runCommand,
        { instanceId, script: asUser(user, script), comment: name },
        deadline,
      )
      if (exitCode !== 0) throw new Error(`exit code ${exitCode}. ${stderr.trim().slice(0, 500)}`)
    } catch (error) {
      if (error instanceof BackendRejected || !(error instanceof Error)) throw error
      throw new BackendUnavailable(`${cluster}: ${error.message}`, { arrived: 'no', cause: error })
    }
  }

  const loginOf = (cluster: string) => {
    const login = clusters[cluster]
    if (!login) throw new BackendRejected(`there is no cluster ${cluster} any more`)
    return login
  }

  /** One answer a handle, in the same order. Errors: as `askHosts`. */
  const ask = <Answer>(
    handles: readonly Handle[],
    question: SlurmQuestion<Answer>,
    deadline: Deadline | undefined,
  ): Promise<Answer[]> =>
    inGroups({
      items: handles as readonly SlurmHandle[],
      keyOf: ({ cluster }) => cluster,
      ask: async (cluster, group) => {
        const { instanceId, user } = loginOf(cluster)
        // The login node may be another one by now; the cluster is the same.
        const asked = group.map((handle) => ({ ...handle, instanceId }))
        const script = (jobs: readonly SlurmHandle[]) => asUser(user, question.script(jobs))
        return askHosts(runCommand, asked, { ...question, script }, deadline)
      },
      failed: question.failed,
    })

  return {
    ...facts,

    submit: async (job, deadline) => {
      const { name, options, timeoutSeconds } = job
      const sbatch = sbatchOptions(options as TaskOptions, timeoutSeconds)
      const script = launchSlurmScript({ ...slurmCommand(job), options: sbatch })
      const handle = await identify(job, script, deadline)
      if (!handle) throw new BackendUnavailable(`${name} is not there after its launch`, { arrived: 'unknown' })
      return handle
    },
    find: (jobs, deadline) => findEach(jobs, (job) => identify(job, findSlurmScript(job.name), deadline), deadline),
    forestall: async ({ name, options }, deadline) => {
      // To the cluster, a cancel of a job that it never heard of is an order to keep it from starting.
      const cluster = (options as TaskOptions).cluster ?? onlyCluster ?? ''
      const handle: SlurmHandle = { cluster, instanceId: loginOf(cluster).instanceId, jobId: 0, name }
      const [answer] = await ask([handle], stopping('force'), deadline)
      if (answer?.outcome === 'failed') throw new BackendUnavailable(answer.message ?? cluster, { arrived: 'unknown' })
      return handle
    },
    packing: {
      ...facts.packing,
      submit: async (jobs, name, deadline) => {
        const [first] = jobs
        const options = jobs.map((job) => job.options)
        const problem = facts.packing.problem(options) ?? packTimeoutProblem(jobs)
        if (!first || problem !== undefined) throw new BackendRejected(problem ?? 'a pack of no members')
        const sbatch = sbatchOptions(first.options as TaskOptions, first.timeoutSeconds)
        const scripts = launchArrayScripts({ name, options: sbatch, members: jobs.map(slurmCommand) })
        const pack = { name, options: first.options }
        for (const script of scripts.slice(0, -1)) await prepare(pack, script, deadline)
        const handle = await identify(pack, scripts.at(-1) ?? '', deadline)
        if (!handle) throw new BackendUnavailable(`${name} is not there after its launch`, { arrived: 'unknown' })
        return jobs.map((_, arrayIndex) => ({ ...handle, arrayIndex }))
      },
      find: async (jobs, name, deadline) => {
        const pack = { name, options: jobs[0]?.options ?? {} }
        const handle = await identify(pack, findSlurmScript(name), deadline)
        return jobs.map((_, arrayIndex) => handle && { ...handle, arrayIndex })
      },
    },
    poll: (handles, deadline) => ask(handles, observing, deadline),
    cancel: (handles, { mode }, deadline) => ask(handles, stopping(mode), deadline),
    readLog: async (handle, place, deadline) => {
      const { cluster, name, arrayIndex } = handle as SlurmHandle
      const { instanceId, user } = loginOf(cluster)
      const folder = arrayIndex === undefined ? name : `${name}/${arrayIndex}`
      const wrap = (script: string) => asUser(user, script)
      return readHostLog(runCommand, { instanceId, folder, prelude: slurmPrelude, wrap, ...place }, deadline)
    },
  }
}

function slurmCommand({ name, options, environment }: JobSpec): SlurmCommand {
  const { command, cwd, environment: own } = options as TaskOptions
  return { name, command, environment: { ...own, ...environment }, ...(cwd !== undefined && { cwd }) }
}

/** Refusals of sbatch that may be over soon. Source: slurm_errno.c, the texts of SLURM_COMMUNICATIONS_… and limits. */
const isPassing = (refusal: string) =>
  /unable to contact slurm controller|connect failure|connection refused|temporarily|in standby|submit limit/i.test(
    refusal,
  )

type SlurmQuestion<Answer> = HostQuestion<Answer, SlurmHandle>

const observing: SlurmQuestion<Observation> = {
  comment: 'poll jobs',
  script: pollSlurmScript,
  parse: (stdout) => parseSlurmPoll(stdout, Date.now()).map(observeSlurm),
  failed: ({ code, message }) => ({ state: 'unknown', failure: { code, message, retryable: true, source: 'slurm' } }),
  // The cluster runs on without its login node, even where that is gone for good.
  absent: ({ message }) => hostAway(message, 'slurm'),
}

const stopping = (mode: CancelMode): SlurmQuestion<CancelOutcome> => ({
  comment: `stop jobs, ${mode}`,
  script: (jobs) => cancelSlurmScript(jobs, mode),
  parse: (stdout) => parseCancel(stdout).map((outcome) => ({ outcome })),
  failed: ({ message }) => ({ outcome: 'failed', message }),
})
