import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { alarmEventOf, snsEventOf } from '../aws/events.ts'
import { someTime } from '../support/builders.ts'
import { aRunningDispatch, single, useWorlds, type World } from './a-world.ts'

const aWorld = useWorlds()

const topicArn = 'arn:aws:sns:eu-west-1:111122223333:costs'
const where = 'tag:project=h2'
const triggers = [
  { kind: 'alarm', name: 'spend', where },
  { kind: 'alarm', alarmTags: { project: 'h2', act: 'cancel' }, where },
  { kind: 'alarm', name: 'topical', topicArn, where },
  { kind: 'budget', name: 'monthly', topicArn, where },
  { kind: 'budget', name: 'lab', where },
]
// Read when the functions are loaded, by the first world.
beforeAll(() => {
  vi.stubEnv('QUENCH_TRIGGERS', JSON.stringify(triggers))
})

/** Each test has events of its own, and its own dispatches in a table that all of them share. */
let events = 0
beforeEach(() => {
  events += 1
})
const id = () => `00000000-0000-4000-8000-${String(events).padStart(12, '0')}`

const tell = (world: World, event: unknown) =>
  world.clock.busy(() => world.functions.cancel(event)) as Promise<readonly { bulkId?: string; count?: number }[]>

const alarm = (name: string, value: string, rest: object = {}) => alarmEventOf(name, value, { id: id(), ...rest })
const message = (Message: string, rest: object = {}) =>
  snsEventOf({ Message, TopicArn: topicArn, MessageId: id(), ...rest })
const exceeded = (detail: unknown, rest: object = {}) => ({
  id: id(),
  'detail-type': 'Quench Budget Exceeded',
  source: 'lab.meter',
  account: '111122223333',
  time: '2026-11-23T12:00:00Z',
  detail,
  ...rest,
})

const asText = 'Dear AWS Customer,\n\nYou requested that we alert you.\n\nBudget Name: monthly\nBudget Type: Cost\n'

const tagged = (world: World) => aRunningDispatch(world, { ...single, tags: { project: 'h2' } })

/** What was logged with `ignore-event`, and why. */
const ignored = () =>
  vi.mocked(console.log).mock.calls.flatMap(([line]) => (line?.decision === 'ignore-event' ? [String(line.why)] : []))

/** While others may run on. */
const hasEnded = (world: World, dispatchId: string) =>
  world.clock.runUntil(async () => (await world.store.readDispatch(dispatchId))?.status !== 'running')

describe('what cancels', () => {
  test.each<[string, () => unknown, object]>([
    [
      'an alarm by its name',
      () => alarm('spend', 'ALARM'),
      { source: 'alarm', actor: 'alarm spend', reason: 'the alarm spend went off' },
    ],
    [
      'an alarm by its tags, through EventBridge',
      () =>
        alarm('another', 'ALARM', {
          detail: { alarmTags: { project: 'h2', act: 'cancel', team: 'x' }, alarmTagsStatus: 'SUCCESS' },
        }),
      { source: 'alarm', actor: 'alarm another' },
    ],
    [
      'an alarm through its topic',
      () => message(JSON.stringify({ AlarmName: 'topical', NewStateValue: 'ALARM', Region: 'EU' })),
      { source: 'alarm', actor: 'alarm topical' },
    ],
    // Source: AWS Cost Management user guide, "Creating an Amazon SNS topic for budget notifications".
    ['the text of a budget', () => message(asText), { source: 'budget', actor: topicArn }],
    [
      'the JSON of a budget',
      () => message(JSON.stringify({ account: '111122223333', budgetName: 'monthly', notificationType: 'ACTUAL' })),
      { source: 'budget', reason: 'the budget monthly is used up' },
    ],
    [
      'the JSON of a budget in another spelling',
      () => message(JSON.stringify({ BudgetName: 'monthly', NotificationType: 'ACTUAL' })),
      { source: 'budget' },
    ],
    [
      'our own event',
      () => exceeded({ budget: 'lab', limitUsd: 50, spentUsd: 61.5 }),
      {
        source: 'budget',
        actor: 'lab.meter in account 111122223333',
        reason: 'the budget lab is used up (61.5 USD spent, limit 50 USD)',
      },
    ],
  ])('%s: what its trigger means, and nothing else', async (_, event, record) => {
    const world = await aWorld()
    const [meant, other] = [await tagged(world), await aRunningDispatch(world)]
    expect(await tell(world, event())).toMatchObject([{ where, count: 1 }])
    await hasEnded(world, meant)
    expect(await world.store.listCancellations(meant)).toMatchObject([record])
    expect(await world.store.listCancellations(other)).toEqual([])
    await world.cancel(other)
    await world.end(other)
  })

  test('comes twice and cancels once, also what has been dispatched in between', async () => {
    const world = await aWorld()
    const meant = await tagged(world)
    const [first] = await tell(world, alarm('spend', 'ALARM'))
    const later = await tagged(world)
    const [second] = await tell(world, alarm('spend', 'ALARM'))
    expect(second).toMatchObject({ bulkId: first?.bulkId, count: 1 })
    await hasEnded(world, meant)
    expect(await world.store.listCancellations(meant)).toHaveLength(1)
    expect(await world.store.listCancellations(later)).toEqual([])
    await world.cancel(later)
    await world.end(later)
  })

  test('but cannot hand it over now is an error, so that the event comes again', async () => {
    const world = await aWorld()
    const meant = await tagged(world)
    world.queue.refuseNext(0)
    await expect(tell(world, alarm('spend', 'ALARM'))).rejects.toThrow('the queue did not take all of it')
    expect(await tell(world, alarm('spend', 'ALARM'))).toMatchObject([{ count: 1 }])
    await hasEnded(world, meant)
    expect(await world.store.listCancellations(meant)).toHaveLength(1)
  })
})

describe('what changes nothing, and says why', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'a message of another topic',
      () => message(asText, { TopicArn: `${topicArn}-2` }),
      /no trigger names the topic .*costs-2/,
    ],
    [
      'the topic of another account',
      () => message(asText, { TopicArn: topicArn.replace('1111', '9999') }),
      /no trigger names/,
    ],
    [
      'an alarm of another account',
      () => alarm('spend', 'ALARM', { account: '999999999999' }),
      /comes from the account 9{12}/,
    ],
    ['our event of another account', () => exceeded({ budget: 'lab' }, { account: '9' }), /comes from the account 9/],
    ['an alarm that no trigger names', () => alarm('spend ', 'ALARM'), /no trigger names the alarm spend $/],
    [
      'an alarm with one of the tags',
      () => alarm('x', 'ALARM', { detail: { alarmTags: { project: 'h2' } } }),
      /no trigger names the alarm x/,
    ],
    ['an alarm that comes the other way', () => alarm('topical', 'ALARM'), /no trigger names the alarm topical/],
    ['an alarm that is over', () => alarm('spend', 'OK'), /the alarm spend is OK/],
    ['an alarm without data', () => alarm('spend', 'INSUFFICIENT_DATA'), /the alarm spend is INSUFFICIENT_DATA/],
    [
      'a budget that no trigger names',
      () => message(asText.replace('monthly', 'monthly-2')),
      /no trigger names the budget monthly-2/,
    ],
    [
      'a budget of another kind of case',
      () => message(asText.replace('monthly', 'Monthly')),
      /no trigger names the budget Monthly/,
    ],
    ['a budget that comes the other way', () => exceeded({ budget: 'monthly' }), /no trigger names the budget monthly/],
    ['two budgets in one text', () => message(`${asText}${asText}`), /no trigger takes this message/],
    [
      'an alarm that calls itself a budget',
      () => message(JSON.stringify({ AlarmName: 'monthly', NewStateValue: 'ALARM', budgetName: 'monthly' })),
      /no trigger names the alarm monthly/,
    ],
    [
      'an alarm of a topic that is over',
      () => message(JSON.stringify({ AlarmName: 'topical', NewStateValue: 'OK' })),
      /topical is OK/,
    ],
    ['a truncated message', () => message('{"budgetName":"monthly"'), /no trigger takes this message/],
    [
      'a cancel request where none is expected',
      () => message(JSON.stringify({ dispatchId: id() })),
      /no trigger takes this message/,
    ],
    [
      'the same through EventBridge',
      () => exceeded({ dispatchId: id() }, { 'detail-type': 'Quench Cancel Request' }),
      /no trigger takes Quench Cancel Request/,
    ],
    ['a huge message', () => message(`${'\n'.repeat(250_000)}${asText}`), /longer than 32768 characters/],
    [
      'an event with figures that are none',
      () => exceeded({ budget: 'lab', spentUsd: 'much' }),
      /no readable detail: spentUsd/,
    ],
    ['an event without a detail', () => exceeded(undefined), /no readable detail/],
    [
      'an alarm without a state',
      () => ({ ...alarm('spend', 'ALARM'), detail: { alarmName: 'spend' } }),
      /no readable detail: state/,
    ],
    [
      'a forged alarm of another source',
      () => ({ ...alarm('spend', 'ALARM'), source: 'my.app' }),
      /of my\.app asks for nothing/,
    ],
  ])('%s', async (_, event, why) => {
    const world = await aWorld()
    const meant = await tagged(world)
    expect(await tell(world, event())).toEqual([])
    expect(ignored()).toEqual([expect.stringMatching(why)])
    expect(await world.store.listCancellations(meant)).toEqual([])
    expect(world.queue.sent).toEqual([])
    await world.cancel(meant)
    await world.end(meant)
  })

  test('an event that comes after its dispatches have ended', async () => {
    const world = await aWorld()
    const meant = await tagged(world)
    await world.cancel(meant)
    await world.end(meant)
    expect(await tell(world, alarm('spend', 'ALARM'))).toMatchObject([{ count: 0 }])
    expect(ignored()).toEqual(['the alarm spend went off, and nothing matches tag:project=h2'])
    expect(await world.store.listCancellations(meant)).toHaveLength(1)
  })

  test('an event that comes late, to what was dispatched after it', async () => {
    const world = await aWorld()
    const meant = await tagged(world)
    const before = new Date(someTime - 60_000).toISOString()
    expect(await tell(world, alarm('spend', 'ALARM', { time: before }))).toMatchObject([{ count: 0 }])
    expect(await world.store.listCancellations(meant)).toEqual([])
    await world.cancel(meant)
    await world.end(meant)
  })
})
