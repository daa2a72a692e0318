import { setTimeout as sleep } from 'node:timers/promises'
import { findProcesses, isAlive } from '../../lib/emulator/processes/process-tree.ts'
import { type Bench, onRegion } from './bench-region.ts'
import { median, progress, type Report } from './report.ts'

const jobs = 200
const hosts = Array.from({ length: 10 }, (_, n) => `host-${n}`)
const rounds = 3
/** No further round is begun after it: a busy machine shall not keep the bench for long. */
const roundsMs = 20_000

const options = {
  batch: () => ({ command: ['sleep', '600'] }),
  ssh: (id: number) => ({ host: hosts[id % hosts.length], command: 'exec sleep 600' }),
}

/** From the cancel request to the death of the last process, and to the end of the dispatch, for running jobs. */
export async function measureCancelLatency(): Promise<Report> {
  const rows: (string | number)[][] = []
  for (const executor of ['batch', 'ssh'] as const) {
    const measured = await onRegion({ vcpus: jobs, hosts }, async (bench) => {
      const results: Awaited<ReturnType<typeof cancelRunning>>[] = []
      const beganAt = performance.now()
      for (let round = 1; round <= rounds && performance.now() - beganAt < roundsMs; round++) {
        progress(`b: cancel of ${jobs} running ${executor} jobs, ${round} of ${rounds}`)
        results.push(await cancelRunning(bench, executor))
      }
      return results
    })
    const columns = (['answeredMs', 'goneMs', 'endedMs'] as const).map((name) => measured.map((one) => one[name]))
    const processes = median(measured.map((one) => one.processes))
    rows.push([executor, measured.length, jobs, processes, ...columns.map((times) => Math.round(median(times)))])
  }
  return {
    title: `b. Cancel of running jobs (SSH: on ${hosts.length} hosts), median of the rounds`,
    heading: ['jobs', 'rounds', 'count', 'processes', 'answered ms', 'last process gone ms', 'all confirmed ms'],
    rows,
    broken: [],
  }
}

async function cancelRunning({ api, caller, live, ended }: Bench, executor: keyof typeof options) {
  const tasks = Array.from({ length: jobs }, (_, id) => ({
    name: `sleeper-${id}`,
    executor,
    options: options[executor](id),
  }))
  const { dispatchId } = await api.submitDispatch(caller, { name: 'sleepers', tasks })
  await live(dispatchId, (runs) => runs.filter(({ state }) => state === 'running').length === jobs)
  const found = findProcesses('QUENCH_DISPATCH_ID', new Set([dispatchId]))
  const processes = found.get(dispatchId) ?? []
  if (processes.length < jobs) throw new Error(`only ${processes.length} processes of ${jobs} jobs were found`)

  const askedAt = performance.now()
  const since = () => performance.now() - askedAt
  const answered = api.cancelDispatch(caller, dispatchId, {}).then(since)
  const gone = allGone(processes).then(since)
  const confirmed = ended(dispatchId).then(since)
  const [answeredMs, goneMs, endedMs] = await Promise.all([answered, gone, confirmed])
  return { processes: processes.length, answeredMs, goneMs, endedMs }
}

async function allGone(processes: readonly Parameters<typeof isAlive>[0][]): Promise<void> {
  for (const process of processes) while (isAlive(process)) await sleep(5)
}
