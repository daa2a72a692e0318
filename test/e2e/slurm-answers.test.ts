import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Handle, JobSpec, Observation } from '../../lib/back-ends/executor.ts'
import { aJobSpec } from '../contracts/executor-contract.ts'
import { eventually } from '../support/scratch-host.ts'
import { startClusters, whyNoSlurm } from '../support/slurm-cluster.ts'

const reason = whyNoSlurm()
const force = { mode: 'force', reason: '' } as const

/** The real Slurm, behind programs by its names that say more, or less, than Slurm does. */
describe.skipIf(reason)(`what Slurm's tools print${reason === undefined ? '' : `: ${reason}`}`, () => {
  let cluster: Awaited<ReturnType<typeof startClusters>>
  beforeAll(async () => {
    cluster = await startClusters()
  })
  afterEach(() => cluster.unwrap())
  afterAll(() => cluster.stop())

  const submit = (options: Record<string, unknown>) =>
    cluster.executor.submit(
      aJobSpec({ options: { cluster: 'main', command: 'true', ...options } as JobSpec['options'] }),
    )
  const observe = async (handle: Handle) => (await cluster.executor.poll([handle]))[0] as Observation
  const reach = (handle: Handle, state: Observation['state']) =>
    eventually(async () => (await observe(handle)).state === state)
  const live = async () => (await cluster.onLogin('squeue --noheader --format=%j')).stdout.trim()
  const read = (handle: Handle, name: string) => readFile(join(cluster.folder, String(handle.name), name), 'utf8')

  test.for([
    ['news before the id', 'echo "*** Maintenance on Monday ***"; echo; exec "$real" "$@"'],
    ['news after the id', '"$real" "$@" || exit; echo "See you in"; echo 2027'],
    ['a sentence instead of the id', 'echo "Submitted batch job $("$real" "$@")" || exit'],
    ['no id', '"$real" "$@" >/dev/null'],
    ['colours around the id', String.raw`printf '\033[32m%s\033[0m\r\n' "$("$real" "$@")"`],
    ['the id, and an exit code of 1', '"$real" "$@"; exit 1'],
  ] as const)('sbatch: %s; the job is known, and stopped', async ([, script]) => {
    await cluster.wrap('sbatch', script)
    const handle = await submit({ command: 'sleep 300' })
    expect(handle.jobId).toBeGreaterThan(0)
    expect(await live()).toBe(handle.name)
    await cluster.executor.cancel([handle], force)
    await reach(handle, 'cancelled')
    expect(await live()).toBe('')
  })

  test('all of them: news, colours and warnings; a job runs and is stopped as without', async () => {
    const news = String.raw`printf '\033[1mWelcome to J|7|N/A|R|1|2|cluster\033[0m\n\n'; echo 'warning: be kind' >&2`
    for (const program of ['sbatch', 'squeue', 'scontrol', 'sacct', 'scancel'])
      await cluster.wrap(program, `${news}; exec "$real" "$@"`)
    const [short, long] = [await submit({ command: 'echo done' }), await submit({ command: 'sleep 300' })]
    await reach(short, 'succeeded')
    await reach(long, 'running')
    await cluster.executor.cancel([long], force)
    await reach(long, 'cancelled')
    await cluster.unwrap()
    expect(await live()).toBe('')
  })

  test.for([
    ['an error, no rows and exit code 0', 'echo "slurm_load_jobs error: Socket timed out on send/recv operation" >&2'],
    ['no rows, and not a word', 'exit 0'],
    ['rows of others only', 'echo "J|400001|N/A|R|1|2|somebody"'],
  ] as const)('squeue: %s; a job that runs is not lost, and can be stopped later', async ([, script]) => {
    const handle = await submit({ command: 'echo "$QUENCH_ATTEMPT"; sleep 300' })
    await reach(handle, 'running')
    await cluster.wrap('squeue', script)
    for (const _ of [1, 2]) expect((await observe(handle)).state).toBe('unknown')
    const [outcome] = await cluster.executor.cancel([handle], force)
    expect(['accepted', 'failed']).toContain(outcome?.outcome)
    expect((await observe(handle)).state).toBe('unknown')
    await cluster.unwrap()
    expect((await observe(handle)).state).toBe('running')
    await cluster.executor.cancel([handle], force)
    await reach(handle, 'cancelled')
  })

  test('squeue: an exit code; the poll has no answer', async () => {
    const handle = await submit({ command: 'true' })
    await cluster.wrap('squeue', 'exit 1')
    await expect(observe(handle)).rejects.toMatchObject({ code: 'BackendUnavailable' })
    await cluster.unwrap()
    await reach(handle, 'succeeded')
  })

  test('a job that says that it lives takes the question away', async () => {
    const handle = await submit({ command: 'sleep 300' })
    await reach(handle, 'running')
    await cluster.wrap('squeue', 'exit 0')
    const denial = `while read -r a b c; do echo "scontrol: $a $b $c"; case $b in
job) echo 'slurm_load_jobs error: Invalid job id specified' >&2 ;; *) echo 'ProctrackType = x' ;; esac; done`
    await cluster.wrap('scontrol', denial)
    expect((await observe(handle)).state).toBe('unknown')
    await eventually(() =>
      read(handle, 'absent').then(
        () => false,
        () => true,
      ),
    )
    await cluster.unwrap()
    await cluster.executor.cancel([handle], force)
    await reach(handle, 'cancelled')
  })
})
