import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { aRegion, aTask, until } from './a-region.ts'

const endless = 'while :; do sleep 0.2; done'
const deaf = `trap '' TERM; ${endless}`

describe.concurrent('a budget', () => {
  it('that is used up stops what runs, on every back end, and says what it has cost', async () => {
    await using region = await aRegion()
    await region.down('SIGTERM')
    const prices = region.scratch('prices.json')
    const queues = { default: { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: 3600, jobDefaults: { vcpus: 1 } } }
    await writeFile(prices, JSON.stringify({ queues, hosts: { 'lab-1': { usdPerCoreHour: 3600 } } }))
    await region.up('--prices', prices)
    const dispatchId = await region.dispatch({
      name: 'dear',
      budget: { limitUsd: 4, warnAtUsd: 1 },
      tasks: [aTask('batch', 'a', endless), aTask('ssh', 'b', endless), aTask('batch', 'c', ':', ['a'])],
    })
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 1 })
    expect(await region.liveTasks(dispatchId)).toEqual([])
    const { dispatch } = await region.show(dispatchId)
    expect(dispatch.tasks).toEqual({ cancelled: 3 })
    expect(dispatch.cancellations).toMatchObject([{ source: 'budget', reason: expect.stringContaining('$4.00') }])
    const { totalUsd } = JSON.parse((await region.quench('budget', dispatchId, '--json')).out)
    expect(totalUsd).toBeGreaterThanOrEqual(4)
    const lines = (await region.events(dispatchId)).flatMap((event) => event.lines)
    expect(lines.filter((line) => line.includes('of the budget of $4.00 is used'))).toHaveLength(1)
  })
})

describe.concurrent('a time limit', () => {
  it('is kept on every back end, also where it has none of its own', async () => {
    await using region = await aRegion()
    const circuit = 'OPENQASM 3.0;\nqubit[16] q;\nh q;\n'
    const deep = circuit + Array.from({ length: 15 }, (_, n) => `cnot q[${n}], q[${n + 1}];\nh q[${n}];`).join('\n')
    const tasks = [
      { ...aTask('batch', 'batch', deaf), timeoutSeconds: 1 },
      { ...aTask('ssh', 'ssh', deaf), timeoutSeconds: 1 },
      { name: 'braket', executor: 'braket', options: { program: deep, shots: 100_000 }, timeoutSeconds: 1 },
      {
        name: 'child',
        executor: 'sublattice',
        timeoutSeconds: 1,
        options: { graph: { name: 'inner', tasks: [aTask('batch', 'work', endless)] } },
      },
      aTask('batch', 'other', ':'),
      aTask('batch', 'behind', ':', ['batch']),
    ]
    const dispatchId = await region.dispatch({ name: 'late', tasks })
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 1 })
    const shown = await region.show(dispatchId)
    expect(shown.tasks.map(({ name, state, failure }) => [name, state, failure?.code])).toEqual([
      ['batch', 'failed', 'TimedOut'],
      ['ssh', 'failed', 'TimedOut'],
      ['braket', 'failed', 'TimedOut'],
      ['child', 'failed', 'TimedOut'],
      ['other', 'succeeded', undefined],
      ['behind', 'skipped', undefined],
    ])
    expect(await region.liveTasks()).toEqual([])
  })

  it('of a whole dispatch ends it as failed, with nothing left', async () => {
    await using region = await aRegion()
    const tasks = [aTask('batch', 'a', endless), aTask('ssh', 'b', endless)]
    const dispatchId = await region.dispatch({ name: 'late', timeoutSeconds: 2, tasks })
    await until('it has ended', async () => (await region.show(dispatchId)).dispatch.state === 'failed')
    expect((await region.show(dispatchId)).dispatch.failure).toEqual({
      code: 'TimedOut',
      message: 'it ran longer than its 2 s',
    })
    expect((await region.quench('show', dispatchId)).out).toContain('TimedOut: it ran longer than its 2 s')
    expect(await region.liveTasks(dispatchId)).toEqual([])
  })
})
