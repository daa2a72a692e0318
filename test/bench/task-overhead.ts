import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { concurrently } from '../../lib/app/concurrently.ts'
import { type Bench, onRegion } from './bench-region.ts'
import { countSends } from './count-sends.ts'
import { noOpGraph } from './no-op-graph.ts'
import { progress, type Report, round } from './report.ts'

const slots = 16
const runs = [
  { shape: 'independent', count: 500 },
  { shape: 'independent', count: 1000 },
  { shape: 'chain', count: 100 },
] as const

/**
 * What Quench adds to a task: no-op Batch tasks from dispatch to end, beside spawning the same program directly.
 *
 * Two sizes show whether the price of a task grows with the graph; the chain is the latency of a hop.
 */
export async function measureTaskOverhead(): Promise<Report> {
  const rows: (string | number)[][] = []
  const baselineMs = await spawnDirectly(1000)
  rows.push(['spawned directly', 1000, Math.round(baselineMs), 0, round(baselineMs / 1000), 1, 0, 0])
  for (const { shape, count } of runs) {
    progress(`a: ${count} ${shape} no-op tasks`)
    const { wallMs, submitMs, reads, writes } = await onRegion({ vcpus: slots, hosts: [] }, (bench) =>
      runNoOps(bench, count, shape),
    )
    const taskMs = wallMs / count
    const ratio = round(taskMs / (baselineMs / 1000))
    const perTask = [round(reads / count), round(writes / count)]
    rows.push([shape, count, Math.round(wallMs), Math.round(submitMs), round(taskMs), ratio, ...perTask])
  }
  return {
    title: `a. No-op Batch tasks at ${slots} vCPUs, from dispatch to end (aim: 5 ms a task)`,
    heading: ['tasks', 'count', 'wall ms', 'last submit ms', 'ms a task', 'ratio', 'reads a task', 'writes a task'],
    rows,
    broken: [],
  }
}

async function runNoOps({ region, api, caller, live, ended }: Bench, count: number, shape: 'independent' | 'chain') {
  const graph = noOpGraph(count, shape)
  const counted = countSends()
  const startedAt = performance.now()
  const { dispatchId } = await api.submitDispatch(caller, graph)
  const end = ended(dispatchId)
  while ((region.faults.calls.get('SubmitJob') ?? 0) < count) await sleep(10)
  const submitMs = performance.now() - startedAt
  const { status } = await end
  const wallMs = performance.now() - startedAt
  await live(dispatchId, (runs) => runs.length === 0)
  if (status !== 'succeeded') throw new Error(`the no-op dispatch is ${status}`)
  return { wallMs, submitMs, ...counted() }
}

async function spawnDirectly(count: number): Promise<number> {
  progress(`a: ${count} processes spawned directly`)
  const startedAt = performance.now()
  await concurrently(slots, Array.from({ length: count }), async () => {
    await once(spawn('true', { stdio: 'ignore' }), 'exit')
  })
  return performance.now() - startedAt
}
