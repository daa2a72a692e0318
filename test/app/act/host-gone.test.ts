import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { act } from '../../../lib/app/act/act.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import { createSshExecutor } from '../../../lib/back-ends/ssh/executor.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { retryAt } from '../../../lib/domain/turn/retry.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { createLocalRunCommand } from '../../../lib/emulator/run-command/local-run-command.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aGraph, someTime } from '../../support/builders.ts'
import { createScratchHost } from '../../support/scratch-host.ts'

const scratch = createScratchHost()
const hosts = { lab: { instanceId: 'i-1' } }
const ssm = createLocalRunCommand({ ...scratch, hosts, faults: createFaults() })
let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(async () => {
  await ssm.close()
  await scratch.dispose()
  await dynamo.close()
})

/** A task that runs on a host, which then is terminated. */
async function aTaskOnALostHost() {
  const dispatchId = randomUUID()
  const { context, store } = anAppContext(dynamo)
  const executor = createSshExecutor({ ssm, describeInstance: ssm.describeInstance, hosts })
  const graph = aGraph([{ executor: 'ssh', options: { host: 'lab', command: 'sleep 300' }, timeoutSeconds: 600 }])
  await startDispatch(context, graph, { id: dispatchId, owner: 'ada', tags: {} })
  const executors = new Map([['ssh', executor]])
  const tasks = [{ taskId: 0, attempt: 1 }]
  const actAfter = (seconds: number, kind: 'submit' | 'poll' | 'cancel' | 'recover', more = {}) =>
    act({ ...context, executors, now: () => someTime + seconds * 1000 }, dispatchId, {
      kind,
      executor: 'ssh',
      epoch: 1,
      tasks,
      ...more,
    })
  ssm.befall('i-1', 'online')
  await actAfter(0, 'submit')
  await actAfter(1, 'poll')
  ssm.befall('i-1', 'terminated')
  const readRun = async () => (await store.readRuns(dispatchId, [0]))[0]
  expect(await readRun()).toMatchObject({ state: 'running' })
  return { task: graph.tasks[0] as (typeof graph.tasks)[0], actAfter, readRun }
}

const { settleSeconds } = defaultPolicy

test('a job on a host that is terminated is lost, and repeated', async () => {
  const { task, actAfter, readRun } = await aTaskOnALostHost()
  await actAfter(30, 'poll')
  expect(await readRun()).toMatchObject({ state: 'running', missingSince: someTime + 30_000 })
  await actAfter(30 + settleSeconds, 'recover')
  const run = await readRun()
  expect(run).toMatchObject({ state: 'lost', failure: { code: 'Lost', retryable: true, source: 'ssh' } })
  expect(run && retryAt(task, run)).toBe(someTime + (30 + settleSeconds + 2) * 1000)
})

test('a job whose time is over when its host is terminated has timed out', async () => {
  const { actAfter, readRun } = await aTaskOnALostHost()
  await actAfter(601, 'cancel', { mode: 'graceful', isTimeLimit: true })
  await actAfter(602, 'poll')
  await actAfter(602 + settleSeconds, 'recover')
  expect(await readRun()).toMatchObject({ state: 'failed', failure: { code: 'TimedOut' } })
})
