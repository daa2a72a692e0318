import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startRace } from '../../support/race.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const both = [
  { name: 'deaf', executor: 'batch' },
  { name: 'away', executor: 'ssh' },
]

test('the force comes when the grace is over, although a poll of another back end hangs', async () => {
  const race = await startRace(dynamo, { tasks: both })
  await race.start()
  const deaf = await race.jobOf(0)
  await race.jobOf(1)
  deaf.isStubborn = true
  race.world.weather = { ssh: { kind: 'hanging' } }
  // Polls are due, and hang.
  await race.until(() => race.seen('ssh.poll 1, which hangs'), 'a poll that hangs')
  const { now } = race.world.gates
  await race.cancel({ graceSeconds: 5 })
  await race.until(() => race.seen(`batch.cancel ${deaf.id} force`), 'the force')
  expect(race.world.gates.now - now).toBeLessThan(12_000)
  race.world.weather = {}
  expect((await race.end()).state).toBe('cancelled')
})

test('what hangs is asked again after its deadline, and the other back end confirms meanwhile', async () => {
  const race = await startRace(dynamo, { tasks: both })
  await race.start()
  const healthy = await race.jobOf(0)
  await race.jobOf(1)
  healthy.isStubborn = false
  race.world.weather = { ssh: { kind: 'hanging' } }
  const { now } = race.world.gates
  await race.cancel()
  await race.until(() => healthy.state === 'cancelled', 'the end of the healthy one')
  const settled = () => race.world.root?.settled.get(0) === 'cancelled'
  await race.until(settled, 'its confirmation')
  expect(race.world.gates.now - now).toBeLessThan(25_000)
  race.world.weather = {}
  expect((await race.end()).state).toBe('cancelled')
})
