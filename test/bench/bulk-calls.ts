import { randomUUID } from 'node:crypto'
import { concurrently } from '../../lib/app/concurrently.ts'
import type { Executor, Handle, JobSpec } from '../../lib/back-ends/executor.ts'
import { jobName } from '../../lib/domain/job-name.ts'
import type { JsonObject } from '../../lib/domain/json.ts'
import { aHandle, startClusters, whyNoSlurm } from '../support/slurm-cluster.ts'
import { onRegion } from './bench-region.ts'
import { progress, type Report } from './report.ts'

const count = 1000
const hostCount = 10
/** Of the jobs on hosts, those that have processes: 1,000 runners are more than two cores can keep. */
const liveOnHosts = 50
/** The same for Slurm: each submission is a command of its own. */
const liveOnSlurm = 100
const stop = { mode: 'force', reason: 'bench' } as const

interface Counted {
  readonly what: string
  readonly calls: number
  readonly limit: number
}

/** Calls of one kill pass over 1,000 jobs, by back end. */
export async function measureBulkCalls(): Promise<Report> {
  const counted = [await batchJobs(), await batchArray(), await hostJobs(), ...(await slurmJobs())]
  return {
    title: 'd. Calls of one kill pass over 1,000 jobs',
    heading: ['jobs', 'calls', 'at most'],
    rows: counted.map(({ what, calls, limit }) => [what, calls, limit]),
    broken: counted.filter(({ calls, limit }) => calls > limit).map(({ what }) => `${what}: too many calls`),
  }
}

function batchJobs(): Promise<Counted> {
  progress(`d: ${count} Batch jobs`)
  return onRegion({ vcpus: 1, hosts: [] }, async ({ region }) => {
    const batch = executorOf(region.context.executors, 'batch')
    const handles = await concurrently(16, jobs({ command: ['sleep', '600'] }), (job) => batch.submit(job))
    await batch.cancel(handles, stop)
    return {
      what: 'Batch, jobs of their own: TerminateJobs',
      calls: callsOf(region.faults, 'TerminateJobs'),
      limit: 20,
    }
  })
}

function batchArray(): Promise<Counted> {
  progress(`d: a Batch array of ${count}`)
  return onRegion({ vcpus: 1, hosts: [] }, async ({ region }) => {
    const { packing, cancel } = executorOf(region.context.executors, 'batch')
    const members = jobs({ command: ['sleep', '600'] })
    const handles = (await packing?.submit(members, members[0]?.name ?? '')) ?? []
    await cancel(handles, stop)
    return { what: 'Batch, one array: TerminateJobs', calls: callsOf(region.faults, 'TerminateJobs'), limit: 1 }
  })
}

function hostJobs(): Promise<Counted> {
  progress(`d: ${count} jobs on ${hostCount} hosts, ${liveOnHosts} of them with processes`)
  const hosts = Array.from({ length: hostCount }, (_, n) => `host-${n}`)
  return onRegion({ vcpus: 1, hosts }, async ({ region }) => {
    const ssh = executorOf(region.context.executors, 'ssh')
    const all = jobs({ command: 'sleep 600' }).map((job, n) => onHost(job, hosts[n % hostCount] ?? ''))
    const live = await concurrently(4, all.slice(0, liveOnHosts), (job) => ssh.submit(job))
    const instanceOf = new Map(live.map((handle) => [handle.host, handle.instanceId ?? '']))
    const others = all.slice(liveOnHosts).map((job): Handle => {
      const host = String(job.options.host)
      return { host, instanceId: instanceOf.get(host) ?? '', name: job.name, pid: 0, startTime: 0, bootId: '-' }
    })
    const before = callsOf(region.faults, 'SendCommand')
    await ssh.cancel([...live, ...others], stop)
    return {
      what: `SSH on ${hostCount} hosts: Run Commands`,
      calls: callsOf(region.faults, 'SendCommand') - before,
      limit: hostCount,
    }
  })
}

/** On a real cluster of this machine; nothing where Slurm is not installed. */
async function slurmJobs(): Promise<readonly Counted[]> {
  const why = whyNoSlurm()
  if (why !== undefined) {
    progress(`d: no Slurm: ${why}`)
    return []
  }
  const cluster = await startClusters()
  const { executor: slurm, countCancels } = cluster
  const { packing } = slurm
  const counted = async (what: string, handles: readonly Handle[], limit: number): Promise<Counted> => {
    const before = countCancels()
    await slurm.cancel(handles, stop)
    return { what, calls: countCancels() - before, limit }
  }
  try {
    progress(`d: a Slurm array of ${count}`)
    const members = jobs({ cluster: 'main', command: 'sleep 600' })
    const array = (await packing?.submit(members, members[0]?.name ?? '')) ?? []
    const one = await counted('Slurm, one array: scancel', array, 4)
    progress(`d: ${count} Slurm jobs, ${liveOnSlurm} of them in the queue`)
    const live = await concurrently(4, jobs({ cluster: 'main', command: 'sleep 600' }).slice(0, liveOnSlurm), (job) =>
      slurm.submit(job),
    )
    const gone = Array.from({ length: count - liveOnSlurm }, () => aHandle('main'))
    return [one, await counted('Slurm, jobs of their own: scancel', [...live, ...gone], 4)]
  } finally {
    await cluster.stop()
  }
}

function jobs(options: JsonObject): readonly JobSpec[] {
  const dispatchId = randomUUID()
  return Array.from({ length: count }, (_, taskId) => {
    const ref = { dispatchId, taskId, attempt: 1 }
    const name = jobName(ref)
    const environment = { QUENCH_JOB: name, QUENCH_TASK_ID: String(taskId), QUENCH_RESULT: `file:///result/${taskId}` }
    return { ...ref, name, options: { jobQueue: 'default', jobDefinition: 'default', ...options }, environment }
  })
}

function onHost(job: JobSpec, host: string): JobSpec {
  return { ...job, options: { host, command: job.options.command ?? '' } }
}

function executorOf(executors: ReadonlyMap<string, Executor>, name: string): Executor {
  const executor = executors.get(name)
  if (!executor) throw new Error(`the region has no executor ${name}`)
  return executor
}

function callsOf({ calls }: { calls: ReadonlyMap<string, number> }, command: string): number {
  return calls.get(command) ?? 0
}
