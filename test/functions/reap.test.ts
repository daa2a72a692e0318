import { describe, expect, test } from 'vitest'
import { statusEvent } from '../aws/pretend-step-functions.ts'
import { aRunningDispatch, useWorlds } from './a-world.ts'

const aWorld = useWorlds()
const stateMachineArn = 'arn:aws:states:eu-west-1:111122223333:stateMachine:quench-dispatch'

describe('the end of an execution', () => {
  test.each([
    ['of an older epoch', '-0-1', stateMachineArn, 'ABORTED'],
    ['of another generation', '-1-2', stateMachineArn, 'FAILED'],
    ['that has not come', '-1-1', stateMachineArn, 'RUNNING'],
    ['of another machine', '-1-1', `${stateMachineArn}-2`, 'ABORTED'],
    ['under a name that is not ours', '', stateMachineArn, 'ABORTED'],
  ])('%s is left alone', async (_, tail, arn, status) => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const event = statusEvent(arn, { name: `${id}${tail}`, status: status as 'ABORTED', input: '{}' })
    expect(await world.clock.busy(() => world.functions.reap(event))).toBe('left')
    expect(await world.store.listCancellations(id)).toEqual([])
    await world.cancel(id)
    await world.end(id)
    expect(
      await world.functions.reap(statusEvent(stateMachineArn, { name: `${id}-2-1`, status: 'FAILED', input: '{}' })),
    ).toBe('left')
  })

  test('within a minute of its start is left to the sweep, unless somebody has stopped it', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const early = (status: 'FAILED' | 'ABORTED') => {
      const event = statusEvent(stateMachineArn, { name: `${id}-1-1`, status, input: '{}' })
      return { ...event, detail: { ...event.detail, stopDate: event.detail.startDate + 59_999 } }
    }
    expect(await world.clock.busy(() => world.functions.reap(early('FAILED')))).toBe('left')
    expect(await world.clock.busy(() => world.functions.reap(early('ABORTED')))).toBe('cancelled')
    await world.end(id)
  })

  test('is told twice, and resumed once', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const event = statusEvent(stateMachineArn, { name: `${id}-1-1`, status: 'FAILED', input: '{}' })
    const told = await world.clock.busy(() => Promise.all([world.functions.reap(event), world.functions.reap(event)]))
    expect(told.sort()).toEqual(['left', 'resumed'])
    await world.cancel(id)
    await world.end(id)
  })
})
