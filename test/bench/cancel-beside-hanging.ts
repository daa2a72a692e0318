import type { Deadline, Executor } from '../../lib/back-ends/executor.ts'
import { BackendUnavailable } from '../../lib/domain/errors.ts'
import { type Bench, onRegion } from './bench-region.ts'
import { median, progress, type Report } from './report.ts'

const rounds = 3
const options = {
  batch: { command: ['sleep', '600'] },
  ssh: { host: 'host-0', command: 'exec sleep 600' },
  braket: { device: 'sv1', program: 'OPENQASM 3.0; qubit q; bit b = measure q;' },
}
const names = ['batch', 'ssh', 'braket'] as const
const jobs = 100

/** From the cancel request to the request that stops the last job of each back end, while SSH answers nothing at all. */
export async function measureCancelBesideHanging(): Promise<Report> {
  const rows: (string | number)[][] = []
  const measured = await onRegion({ vcpus: jobs, hosts: ['host-0'], queueSeconds: 600 }, async (bench) => {
    const results: Awaited<ReturnType<typeof cancelOnce>>[] = []
    for (let round = 1; round <= rounds; round++) {
      progress(`f: cancel of ${jobs} jobs beside a back end that hangs, ${round} of ${rounds}`)
      results.push(await cancelOnce(bench))
    }
    return results
  })
  for (const name of ['batch', 'braket'] as const)
    rows.push([name, median(measured.map((one) => one.asked[name] ?? Number.NaN))])
  rows.push(['(answer)', median(measured.map((one) => one.answeredMs))])
  return {
    title: `f. Cancel of ${jobs} live jobs on three back ends of which one (ssh) hangs, median of ${rounds} rounds`,
    heading: ['back end', 'last asked to stop after ms'],
    rows: rows.map(([name, ms]) => [String(name), Math.round(Number(ms))]),
    broken: [],
  }
}

async function cancelOnce({ region, api, caller, live, ended }: Bench) {
  const executors = region.context.executors as Map<string, Executor>
  const tasks = Array.from({ length: jobs }, (_, id) => {
    const executor = names[id % names.length] as (typeof names)[number]
    return { name: `job-${id}`, executor, options: options[executor] }
  })
  const { dispatchId } = await api.submitDispatch(caller, { name: 'three', tasks })
  await live(dispatchId, (runs) => runs.filter(({ handle }) => handle).length === jobs)

  const asked: Record<string, number> = {}
  const before = new Map(executors)
  const beganAt = performance.now()
  for (const name of ['batch', 'braket'])
    executors.set(name, {
      ...(before.get(name) as Executor),
      cancel: (...args) => {
        asked[name] = performance.now() - beganAt
        return (before.get(name) as Executor).cancel(...args)
      },
    })
  const hang = (deadline: Deadline | undefined) =>
    new Promise<never>((_, reject) => {
      const end = () => reject(new BackendUnavailable('it hangs', { arrived: 'unknown' }))
      deadline?.signal.addEventListener('abort', end, { once: true })
    })
  executors.set('ssh', {
    ...(before.get('ssh') as Executor),
    cancel: (_handles, _request, deadline) => hang(deadline),
    poll: (_handles, deadline) => hang(deadline),
  })
  await api.cancelDispatch(caller, dispatchId, { mode: 'force' })
  const answeredMs = performance.now() - beganAt
  for (const [name, executor] of before) executors.set(name, executor)
  await ended(dispatchId)
  return { asked, answeredMs }
}
