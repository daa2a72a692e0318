import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findProcesses } from '../../examples/demo/find-processes.ts'
import { type SlurmCluster, startSlurmCluster, whyNoSlurm } from '../support/slurm-cluster.ts'
import { aRegion, aTask, type TestRegion, until } from './a-region.ts'

const run = promisify(execFile)
const reason = whyNoSlurm()

/** Never ends, ignores TERM, forks, and has a daemon in a session of its own. All three beat. */
const runaway = (region: TestRegion, name: string) => {
  const beat = `while :; do echo >>${region.scratch(`beat-${name}`)}; sleep 0.3; done`
  return `trap '' TERM INT HUP; setsid sh -c "trap '' TERM HUP; ${beat}" & (${beat}) & ${beat}`
}

/** Minutes of simulation: twelve qubits in full superposition. */
const layer = Array.from({ length: 11 }, (_, n) => `ry(0.3) q[${n}]; cnot q[${n}], q[${n + 1}];`).join(' ')
const hard = `OPENQASM 3.0; qubit[12] q; h q; ${layer} ${layer}`

/** A runaway wherever one can be. Gives the graph, and the names of all that beat. */
async function aGraph(region: TestRegion, { withSlurm }: { withSlurm: boolean }) {
  const script = (name: string) => runaway(region, name)
  await writeFile(region.scratch('hybrid.sh'), script('hybrid'))
  const sourceUri = pathToFileURL(region.scratch('hybrid.sh')).href
  const measure = (name: string) => ({ name, executor: 'braket', options: { program: hard, shots: 100_000 } })
  const inner = { name: 'inner', tasks: [aTask('batch', 'in', script('inner'))] }
  const onSlurm = (name: string) => ({ name, executor: 'slurm', options: { command: script(name) } })
  const packed = ['pack-0', 'pack-1', 'pack-2']
  const tasks = [
    aTask('batch', 'batch', script('batch')),
    aTask('ssh', 'ssh', script('ssh')),
    // The device of the region runs two at a time: the third one waits there.
    ...['braket-0', 'braket-1', 'braket-2'].map(measure),
    { name: 'hybrid', executor: 'braket-job', options: { sourceUri, entryPoint: 'hybrid.sh' } },
    { name: 'child', executor: 'sublattice', options: { graph: inner } },
    ...packed.map((name) => ({ ...aTask('batch', name, script('pack')), pack: 'members' })),
    ...(withSlurm
      ? [onSlurm('slurm'), { ...onSlurm('array-0'), pack: 'array' }, { ...onSlurm('array-1'), pack: 'array' }]
      : []),
  ]
  const waiting = aTask('ssh', 'waiting', script('waiting'), ['batch', 'child'])
  const beating = ['batch', 'ssh', 'hybrid', 'inner', 'pack', ...(withSlurm ? ['slurm', 'array-0', 'array-1'] : [])]
  return { graph: { name: 'everywhere', tasks: [...tasks, waiting] }, beating }
}

/** Starts it, cancels all of it, and looks for what is left. */
async function cancelEverywhere(region: TestRegion, { withSlurm }: { withSlurm: boolean }): Promise<void> {
  const { graph, beating } = await aGraph(region, { withSlurm })
  const dispatchId = await region.dispatch(graph)
  const beats = () => beating.map((name) => region.lines(`beat-${name}`).length)
  await until('everything beats', () => beats().every((count) => count > 2))
  const isSimulating = async () =>
    (await region.show(dispatchId)).tasks.filter(({ executor, state }) => executor === 'braket' && state === 'running')
      .length === 2
  await until('two circuits are simulated', isSimulating)
  // Main process, fork and daemon of each; of the pack's members, all.
  const processes = 3 * (beating.length + 2)
  await until('everything has forked', async () => (await findProcesses(region.directory)).length >= processes)

  const { exitCode, out } = await region.quench('cancel', dispatchId, '--yes', '--grace', '1', '--wait')
  expect(exitCode, out).toBe(0)
  const executors = ['batch', 'ssh', 'braket', 'braket-job', 'sublattice', ...(withSlurm ? ['slurm'] : [])]
  for (const executor of executors)
    expect(out).toMatch(new RegExp(`^ *${executor} +requested (\\d+) +confirmed \\1 +unconfirmed 0`, 'm'))

  const { dispatch, tasks } = await region.show(dispatchId)
  expect(dispatch.state).toBe('cancelled')
  expect(tasks.filter(({ state }) => state !== 'cancelled')).toEqual([])
  expect(tasks.at(-1)).toMatchObject({ name: 'waiting', attempt: 0 })
  const child = tasks.find(({ name }) => name === 'child')?.childId ?? ''
  expect((await region.show(child)).tasks).toMatchObject([{ name: 'in', state: 'cancelled' }])

  expect(await findProcesses(region.directory)).toEqual([])
  const before = beats()
  await sleep(1000)
  expect(beats()).toEqual(before)
  expect(region.lines('beat-waiting')).toEqual([])
}

describe('a cancel over all back ends', () => {
  it('stops batch, ssh, braket, braket-job, sublattices and packs', async () => {
    await using region = await aRegion()
    await cancelEverywhere(region, { withSlurm: false })
  })
})

describe.skipIf(reason)(`with a Slurm${reason === undefined ? '' : `: ${reason}`}`, () => {
  let slurm: SlurmCluster
  let region: TestRegion
  beforeAll(async () => {
    slurm = (await startSlurmCluster()) as SlurmCluster
    for (const [name, value] of Object.entries(slurm.environment)) vi.stubEnv(name, value)
    region = await aRegion('--slurm')
  })
  afterAll(async () => {
    try {
      await region[Symbol.asyncDispose]()
    } finally {
      await slurm.stop()
      vi.unstubAllEnvs()
    }
  })

  it('a cancel over all back ends stops its jobs too', async () => {
    await cancelEverywhere(region, { withSlurm: true })
    expect((await run('squeue', ['--noheader', '--states=running,pending,completing'])).stdout).toBe('')
  })

  it('examples/h2/on-slurm.mjs has the fit done there', async () => {
    const program = fileURLToPath(new URL('../../examples/h2/on-slurm.mjs', import.meta.url))
    const { stdout } = await run('node', [program])
    const dispatchId = await region.dispatch(JSON.parse(stdout))
    const stateOf = async () => (await region.show(dispatchId)).dispatch.state
    await until('it has ended', async () => /succeeded|failed/.test(await stateOf()))
    expect(await stateOf()).toBe('succeeded')
    const fit = (await region.show(dispatchId)).tasks.find(({ name }) => name === 'fit')
    expect(fit).toMatchObject({ executor: 'slurm', state: 'succeeded' })
    expect((await region.quench('logs', dispatchId, 'fit')).out).toMatch(/^E = -1\.1/)
    expect(readFileSync(new URL(fit?.resultUri ?? ''), 'utf8')).toContain('"energyHartree":-1.1')
  })
})
