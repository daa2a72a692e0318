import { describe, expect, it } from 'vitest'
import { aRegion, aTask, release, type TestRegion, until, waitingScript } from './a-region.ts'

const backends = ['batch', 'ssh'] as const

describe.concurrent('a server that is killed with kill -9', () => {
  it('goes on when it is started again, and every task runs exactly once', async () => {
    await using region = await aRegion('--vcpus', '2')
    const waiting = (executor: 'batch' | 'ssh', name: string, needs: readonly string[] = []) =>
      aTask(executor, name, waitingScript(region, name), needs)
    const names = ['batch-0', 'batch-1', 'batch-2', 'batch-3', 'ssh-0', 'ssh-1', 'then-batch', 'then-ssh']
    const dispatchId = await region.dispatch({
      name: 'survivor',
      tasks: [
        ...names.slice(0, 4).map((name) => waiting('batch', name)),
        ...names.slice(4, 6).map((name) => waiting('ssh', name)),
        waiting('batch', 'then-batch', names.slice(0, 6)),
        waiting('ssh', 'then-ssh', ['ssh-0']),
      ],
    })
    const started = () => names.filter((name) => hasRun(region, name))
    await until('two Batch jobs run, two are queued behind them, two SSH jobs run', async () => {
      const { tasks } = (await region.show(dispatchId)).dispatch
      return tasks.running === 4 && tasks.queued === 2 && started().length === 4
    })

    await region.down('SIGKILL')
    expect((await region.liveTasks(dispatchId)).length).toBe(4)
    const [firstBatch = ''] = started()
    await release(region, firstBatch, 'ssh-0')
    await until('one job of each back end has ended meanwhile', async () => {
      return (await region.liveTasks(dispatchId)).length === 2
    })
    await region.up('--vcpus', '2')
    await until('what waited for it starts', () => hasRun(region, 'then-ssh'))
    await release(region, ...names)

    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 0 })
    expect(runs(region, names)).toEqual(names.map((name) => [name, ['1']]))
    expect((await region.show(dispatchId)).tasks.map(({ attempt }) => attempt)).toEqual(names.map(() => 1))
  })

  it('may be killed again and again, wherever it is', async () => {
    await using region = await aRegion('--vcpus', '4')
    const layers = [0, 1, 2, 3]
    const names = layers.flatMap((layer) => ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `${letter}${layer}`))
    const tasks = names.map((name, index) => {
      const [letter, layer] = [name.charAt(0), Number(name.charAt(1))]
      const needs =
        layer === 0 ? [] : letter === 'a' ? names.slice(6 * (layer - 1), 6 * layer) : [`${letter}${layer - 1}`]
      const script = `echo "$QUENCH_ATTEMPT" >>${region.scratch(`ran-${name}`)}; sleep 0.2`
      return aTask(backends[index % 2] ?? 'batch', name, script, needs)
    })
    const dispatchId = await region.dispatch({ name: 'beaten', tasks })

    for (const started of [2, 9, 16]) {
      await until(`${started} tasks have started`, () => names.filter((name) => hasRun(region, name)).length >= started)
      await region.down('SIGKILL')
      await region.up('--vcpus', '4')
    }
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 0 })
    expect(runs(region, names).filter(([, lines]) => lines.length !== 1)).toEqual([])
  })

  it('has stopped everything after its restart when it had acknowledged a cancel', async () => {
    await using region = await aRegion('--vcpus', '2')
    const names = ['batch-0', 'batch-1', 'batch-2', 'ssh-0']
    const deaf = (name: string) =>
      `trap '' TERM; echo >>${region.scratch(`ran-${name}`)}; setsid sleep 600 & while :; do sleep 1; done`
    const dispatchId = await region.dispatch({
      name: 'cancelled',
      tasks: [
        ...names.map((name) => aTask(name === 'ssh-0' ? 'ssh' : 'batch', name, deaf(name))),
        aTask('ssh', 'behind', `echo >>${region.scratch('ran-behind')}`, ['ssh-0']),
      ],
    })
    const started = () => names.filter((name) => hasRun(region, name))
    // Tasks without needs are submitted side by side: which of the three is queued is not known beforehand.
    await until('all jobs run but one, which is queued', async () => {
      const { tasks } = (await region.show(dispatchId)).dispatch
      return tasks.running === 3 && tasks.queued === 1 && started().length === 3
    })
    const before = started()

    const { status, body } = await region.call(`/dispatches/${dispatchId}/cancellations`, {
      method: 'POST',
      body: JSON.stringify({ graceSeconds: 1 }),
    })
    await region.down('SIGKILL')
    expect(status).toBe(202)
    const { cancellationId } = body as { cancellationId: string }

    await region.up('--vcpus', '2')
    expect((await region.quench('watch', dispatchId)).out).toContain('cancelled after')
    expect(await region.liveTasks(dispatchId)).toEqual([])
    expect((await region.show(dispatchId)).dispatch.tasks).toEqual({ cancelled: 5 })
    expect(started()).toEqual(before)
    expect(hasRun(region, 'behind')).toBe(false)
    const view = await region.call(`/dispatches/${dispatchId}/cancellations/${cancellationId}`)
    expect(view.body).toMatchObject({
      state: 'confirmed',
      backends: { batch: { requested: 3, confirmed: 3 }, ssh: { requested: 1, confirmed: 1 } },
    })
  })
})

describe.concurrent('ctrl-C', () => {
  it('leaves no process behind, and the dispatch goes on with the next server', async () => {
    await using region = await aRegion()
    const dispatchId = await dispatchOnBoth(region, 'trap "" TERM INT HUP; setsid sleep 600 &')
    expect(await region.liveTasks(dispatchId)).toEqual([0, 1])

    expect(await region.down('SIGINT')).toBe(0)
    expect(await region.liveTasks()).toEqual([])

    await release(region, 'batch', 'ssh')
    await region.up()
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 0 })
    const { tasks } = await region.show(dispatchId)
    expect(tasks.map(({ name, state, attempt }) => [name, state, attempt])).toEqual([
      ['batch', 'succeeded', 2],
      ['ssh', 'succeeded', 2],
      ['after', 'succeeded', 1],
    ])
  })

  it('with --detach-jobs leaves the jobs running, and the next server adopts them', async () => {
    await using region = await aRegion('--detach-jobs')
    const dispatchId = await dispatchOnBoth(region, '')
    expect(await region.down('SIGINT')).toBe(0)
    expect(await region.liveTasks(dispatchId)).toEqual([0, 1])

    await region.up()
    await until('both are running again', async () => (await region.show(dispatchId)).dispatch.tasks.running === 2)
    await release(region, 'batch', 'ssh')
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 0 })
    expect([region.lines('ran-batch'), region.lines('ran-ssh')]).toEqual([['1'], ['1']])
  })

  it('stops jobs that an earlier server has left running', async () => {
    await using region = await aRegion('--detach-jobs')
    const dispatchId = await dispatchOnBoth(region, 'trap "" TERM; setsid sleep 600 &')
    await region.down('SIGINT')
    await region.up()
    expect(await region.liveTasks(dispatchId)).toEqual([0, 1])
    expect(await region.down('SIGINT')).toBe(0)
    expect(await region.liveTasks()).toEqual([])
  })
})

function hasRun(region: TestRegion, name: string): boolean {
  return region.lines(`ran-${name}`).length > 0
}

/** The attempts that have really run, by task. */
function runs(region: TestRegion, names: readonly string[]) {
  return names.map((name) => [name, region.lines(`ran-${name}`)] as const)
}

/** A job on each back end that runs until it is released, and one behind them. */
async function dispatchOnBoth(region: TestRegion, before: string): Promise<string> {
  const tasks = (['batch', 'ssh'] as const).map((name) =>
    aTask(name, name, `${before}\n${waitingScript(region, name)}\nkill %1 2>/dev/null || :`),
  )
  const dispatchId = await region.dispatch({
    name: 'both',
    tasks: [...tasks, aTask('ssh', 'after', ':', ['batch', 'ssh'])],
  })
  await until('both jobs run', () => region.lines('ran-batch').length + region.lines('ran-ssh').length === 2)
  return dispatchId
}
