import { onRegion } from './bench-region.ts'
import { countSends } from './count-sends.ts'
import { progress, type Report, round } from './report.ts'

/** Ids a call. Source: Batch API reference, TerminateJobs and DescribeJobs. */
const terminateIds = 50
const describeIds = 100
/** A kill pass is repeated after 5 seconds: one repetition is no fault on a machine that is busy. */
const killPasses = 2
/** Writes of a cancel that no live job accounts for: fence, turns, history. */
const fixedWrites = 60
/** Noting that a job was cancelled, taking it out of the live index, and a note of a poll that its event forestalled. */
const writesPerJob = 3

const runs = [
  { live: 10, tasks: 10_000 },
  { live: 100, tasks: 10_000 },
  { live: 1000, tasks: 10_000 },
  { live: 1000, tasks: 2_000 },
]

type CancelCount = (typeof runs)[number] & Awaited<ReturnType<typeof cancelCounted>>

/**
 * Store and back-end calls of a whole cancel, from the request until every job is confirmed.
 *
 * The jobs wait in the queue: what is counted is the same, without 1,000 processes.
 */
export async function measureCancelCalls(): Promise<Report> {
  const counted: CancelCount[] = []
  for (const run of runs) {
    progress(`c: cancel of ${run.live} live jobs in a graph of ${run.tasks}`)
    counted.push({ ...run, ...(await cancelCounted(run.live, run.tasks)) })
  }
  return {
    title: 'c. Calls of a cancel, until every job is confirmed',
    heading: [
      'graph',
      'live jobs',
      'TerminateJobs',
      'DescribeJobs',
      'store reads',
      'store writes',
      'of them META',
      'writes a job',
      'ms',
    ],
    rows: counted.map(({ tasks, live, terminate, describe, reads, writes, metaWrites, ms }) => [
      tasks,
      live,
      terminate,
      describe,
      reads,
      writes,
      metaWrites,
      round(writes / live),
      Math.round(ms),
    ]),
    broken: [...counted.flatMap(brokenCounts), ...brokenGrowth(counted)],
  }
}

function cancelCounted(live: number, tasks: number) {
  return onRegion({ vcpus: 1, hosts: [] }, async ({ region, api, caller, live: untilLive, ended }) => {
    const { dispatchId } = await api.submitDispatch(caller, waitingGraph(live, tasks))
    await untilLive(dispatchId, (runs) => runs.filter(({ state }) => state === 'queued').length === live)
    const before = new Map(region.faults.calls)
    const callsOf = (command: string) => (region.faults.calls.get(command) ?? 0) - (before.get(command) ?? 0)
    const counted = countSends()
    const askedAt = performance.now()
    await api.cancelDispatch(caller, dispatchId, {})
    const { status } = await ended(dispatchId)
    const ms = performance.now() - askedAt
    // The last turn takes what is settled out of the live index after it has ended the dispatch.
    await untilLive(dispatchId, (runs) => runs.length === 0)
    if (status !== 'cancelled') throw new Error(`the cancelled dispatch is ${status}`)
    return { terminate: callsOf('TerminateJobs'), describe: callsOf('DescribeJobs'), ms, ...counted() }
  })
}

/** `live` jobs that ask for more vCPUs than there are, so that they wait; all other tasks need the first of them. */
function waitingGraph(live: number, tasks: number) {
  return {
    name: `${live} of ${tasks}`,
    tasks: Array.from({ length: tasks }, (_, id) => ({
      name: `task-${id}`,
      executor: 'batch',
      options: { command: ['true'], vcpus: 2 },
      ...(id >= live && { needs: [0] }),
    })),
  }
}

/** Calls go with live jobs ÷ bulk size, writes with live jobs. */
function brokenCounts({ live, tasks, terminate, describe, writes, ms }: CancelCount): readonly string[] {
  const most = {
    TerminateJobs: killPasses * Math.ceil(live / terminateIds),
    // A look a second at what is still live.
    DescribeJobs: (2 + Math.ceil(ms / 1000)) * Math.ceil(live / describeIds),
    'store writes': writesPerJob * live + fixedWrites,
  }
  const made = { TerminateJobs: terminate, DescribeJobs: describe, 'store writes': writes }
  return (Object.keys(most) as (keyof typeof most)[])
    .filter((name) => made[name] > most[name])
    .map((name) => `${live} live jobs of ${tasks} tasks: ${made[name]} ${name}, at most ${most[name]} expected`)
}

/** The same live jobs in a graph five times as large must not cost more writes, but for a race a job. */
function brokenGrowth(counted: readonly CancelCount[]): readonly string[] {
  const [small, large] = counted.filter(({ live }) => live === 1000).toSorted((a, b) => a.tasks - b.tasks)
  if (!small || !large || large.writes <= small.writes + large.live) return []
  return [`${large.writes} writes in a graph of ${large.tasks}, ${small.writes} in one of ${small.tasks}`]
}
