import { expect, test } from 'vitest'
import { aRegion, aTask, until, waitingScript } from './a-region.ts'

test('a bulk cancellation survives the command and a kill -9 of the server', { timeout: 120_000 }, async () => {
  await using region = await aRegion('--vcpus', '16')
  const dispatch = (name: string, project: string, executor: 'batch' | 'ssh' = 'batch') =>
    region.dispatch({ name, tags: { project }, tasks: [aTask(executor, 'only', waitingScript(region, name))] })
  const meant = [await dispatch('a', 'h2'), await dispatch('b', 'h2', 'ssh'), await dispatch('c', 'h2')]
  const other = await dispatch('d', 'other')
  await until('all of them run', async () =>
    ['a', 'b', 'c', 'd'].every((name) => region.lines(`ran-${name}`).length === 1),
  )

  const where = 'tag:project=h2 owner:me older:0s'
  const preview = JSON.parse((await region.quench('cancel', '--where', where, '--dry-run', '--json')).out)
  expect(preview).toMatchObject({ count: 3, dryRun: true })
  expect((await region.quench('cancel', '--where', where)).exitCode).toBe(2)
  const byBackend = await region.quench('cancel', '--where', `${where} backend:ssh`, '--dry-run', '--json')
  expect(JSON.parse(byBackend.out)).toMatchObject({ count: 1, dispatches: [{ dispatchId: meant[1] }] })

  const { out } = await region.quench('cancel', '--where', where, '--yes', '--json', '--force')
  const { bulkId } = JSON.parse(out)
  await region.down('SIGKILL')
  await region.up('--vcpus', '16')
  const waited = await region.quench('cancellations', bulkId, '--wait')
  expect(waited).toMatchObject({ exitCode: 0 })
  expect(waited.out).toContain('cancelled 3 of 3  failed 0  confirmed 3  unconfirmed 0')
  for (const id of meant) {
    const { state, cancellations } = (await region.show(id)).dispatch
    expect(state).toBe('cancelled')
    expect(cancellations).toHaveLength(1)
    expect(await region.liveTasks(id)).toEqual([])
  }
  expect((await region.show(other)).dispatch.state).toBe('running')
  expect((await region.liveTasks(other)).length).toBe(1)
})
