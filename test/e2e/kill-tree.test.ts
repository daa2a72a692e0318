import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aRegion, aTask, type TestRegion, until } from './a-region.ts'

/** Every second it forks again, so that there is always somebody who was not there at the last look. */
const forking = `trap '' TERM INT HUP
setsid sh -c "trap '' TERM HUP; while :; do sleep 1 & sleep 0.2; done" &
(trap '' TERM; setsid nohup sleep 600 >/dev/null 2>&1 &) &
while :; do (sleep 600 &) ; echo >>"\${QUENCH_RESULT#file://}"; sleep 0.2; done`

describe.concurrent('a job that forks, ignores TERM and starts daemons', () => {
  let region: TestRegion
  beforeAll(async () => {
    region = await aRegion()
  })
  afterAll(() => region[Symbol.asyncDispose]())

  it.each(['batch', 'ssh'] as const)('leaves nothing on %s when it is cancelled', async (executor) => {
    const dispatchId = await region.dispatch({ name: 'tree', tasks: [aTask(executor, 'tree', forking)] })
    await until('it has forked a while', () => region.lines(`../data/results/${dispatchId}-0-1`).length > 5)

    expect(await region.quench('cancel', dispatchId, '--yes', '--grace', '1', '--wait')).toMatchObject({
      exitCode: 0,
    })
    expect(await region.liveTasks(dispatchId)).toEqual([])
    expect((await region.show(dispatchId)).tasks).toMatchObject([{ state: 'cancelled' }])
  })

  it.each(['batch', 'ssh'] as const)('leaves nothing on %s when it ends by itself', async (executor) => {
    const script = '(setsid sleep 600 &) ; sleep 600 & exit 3'
    const dispatchId = await region.dispatch({ name: 'careless', tasks: [aTask(executor, 'careless', script)] })
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 1 })
    expect(await region.liveTasks(dispatchId)).toEqual([])
    expect((await region.show(dispatchId)).tasks).toMatchObject([{ state: 'failed', exitCode: 3, attempt: 1 }])
  })

  it('runs on in the other branch when a part of examples/runaway.json is cancelled', async () => {
    const file = fileURLToPath(new URL('../../examples/runaway.json', import.meta.url))
    const { out } = await region.quench('dispatch', file, '--json')
    const { dispatchId } = JSON.parse(out)
    const names: string[] = JSON.parse(readFileSync(file, 'utf8')).tasks.map(({ name }: { name: string }) => name)
    const running = ['left-batch', 'left-ssh', 'right-batch', 'right-ssh'].map((name) => names.indexOf(name))
    await until('four jobs run', async () => String(await region.liveTasks(dispatchId)) === String(running))

    const part = ['--tasks', 'left-batch,left-ssh', '--force', '--wait']
    expect(await region.quench('cancel', dispatchId, ...part)).toMatchObject({ exitCode: 0 })
    expect(await region.liveTasks(dispatchId)).toEqual(running.slice(2))
    expect(await region.quench('cancel', dispatchId, '--yes', '--force', '--wait')).toMatchObject({ exitCode: 0 })
    expect(await region.liveTasks(dispatchId)).toEqual([])
  })
})
