import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  InvalidToken,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn'
import { describe, expect, test } from 'vitest'
import { executionName, parseExecutionName } from '../../lib/aws/executions/execution-name.ts'
import { createSfnExecutions } from '../../lib/aws/loop.ts'
import type { Wake } from '../../lib/store/dynamo/wake.ts'
import { someId, someTime } from '../support/builders.ts'

const stateMachineArn = 'arn:aws:states:eu-west-1:111122223333:stateMachine:quench-dispatch'
const $metadata = {}

/** Executions over a client that answers, or fails, as a test says. */
function someExecutions(options: { newest?: Wake; token?: string; answer?: (command: object) => unknown } = {}) {
  const sent: { name: string; input: object }[] = []
  const send = async (command: { input: object }) => {
    sent.push({ name: command.constructor.name.replace('Command', ''), input: command.input })
    return options.answer?.(command) ?? {}
  }
  const executions = createSfnExecutions({
    sfn: { send: send as never },
    stateMachineArn,
    wake: {
      beginTurn: async () => 0,
      ring: async () => options.token,
      read: async () => options.newest,
      succeed: async () => true,
    },
    now: () => someTime,
  })
  return { executions, sent }
}

const failing = (error: Error) => () => {
  throw error
}

describe('starting the loop of an epoch', () => {
  test('starts the first generation under a name that says which it is', async () => {
    const { executions, sent } = someExecutions()
    await executions.start(someId, 2)
    expect(sent).toEqual([
      {
        name: 'StartExecution',
        input: {
          stateMachineArn,
          name: `${someId}-2-1`,
          input: JSON.stringify({ dispatchId: someId, epoch: 2, generation: 1 }),
        },
      },
    ])
  })

  test('is harmless where it was started before', async () => {
    const { executions } = someExecutions({ answer: failing(new ExecutionAlreadyExists({ message: '', $metadata })) })
    await expect(executions.start(someId, 1)).resolves.toBeUndefined()
  })

  test('says so where it could not be started', async () => {
    const { executions } = someExecutions({ answer: failing(new Error('no network')) })
    await expect(executions.start(someId, 1)).rejects.toThrow('no network')
  })
})

describe('stopping the loop of an epoch', () => {
  const stopped = (sent: readonly { input: object }[]) =>
    sent.map(({ input }) =>
      String((input as { executionArn: string }).executionArn)
        .split(':')
        .at(-1),
    )

  test('reaches its newest generation, and the one that it may have handed over to', async () => {
    const { executions, sent } = someExecutions({ newest: { epoch: 1, generation: 4, turnAt: someTime } })
    await executions.stop(someId, 1)
    expect(stopped(sent)).toEqual([`${someId}-1-4`, `${someId}-1-5`])
  })

  test('reaches the first generation where the drain has had a turn already', async () => {
    const { executions, sent } = someExecutions({ newest: { epoch: 2, generation: 1, turnAt: someTime } })
    await executions.stop(someId, 1)
    expect(stopped(sent)).toEqual([`${someId}-1-1`, `${someId}-1-2`])
  })

  test('is harmless where there is none', async () => {
    const { executions } = someExecutions({ answer: failing(new ExecutionDoesNotExist({ message: '', $metadata })) })
    await expect(executions.stop(someId, 1)).resolves.toBeUndefined()
  })
})

describe('waking a dispatch', () => {
  test('answers the token of the loop that rests, and nothing where none does', async () => {
    const resting = someExecutions({ token: 'a token' })
    await resting.executions.wake(someId)
    expect(resting.sent).toEqual([{ name: 'SendTaskSuccess', input: { taskToken: 'a token', output: '{}' } }])
    const busy = someExecutions()
    await busy.executions.wake(someId)
    expect(busy.sent).toEqual([])
  })

  test.each([TaskTimedOut, TaskDoesNotExist, InvalidToken])('takes a stale token for none: %o', async (Stale) => {
    const { executions } = someExecutions({ token: 'old', answer: failing(new Stale({ message: '', $metadata })) })
    await expect(executions.wake(someId)).resolves.toBeUndefined()
  })
})

describe('asking for an execution', () => {
  test.each([
    ['RUNNING', 'running'],
    ['PENDING_REDRIVE', 'running'],
    ['ABORTED', 'aborted'],
    ['FAILED', 'closed'],
    ['TIMED_OUT', 'closed'],
    ['SUCCEEDED', 'closed'],
  ])('that is %s gives %s', async (status, said) => {
    const { executions } = someExecutions({
      answer: (command) => command instanceof DescribeExecutionCommand && { status },
    })
    expect(await executions.statusOf({ dispatchId: someId, epoch: 1, generation: 1 })).toBe(said)
  })

  test('that is not there says that it is missing', async () => {
    const { executions } = someExecutions({ answer: failing(new ExecutionDoesNotExist({ message: '', $metadata })) })
    expect(await executions.statusOf({ dispatchId: someId, epoch: 1, generation: 1 })).toBe('missing')
  })
})

test('the name of an execution tells which loop it is, and stays below 80 characters', () => {
  const loop = { dispatchId: someId, epoch: 123_456, generation: 1_234_567 }
  expect(parseExecutionName(executionName(loop))).toEqual(loop)
  expect(executionName(loop).length).toBeLessThan(80)
  for (const other of ['someone-elses-1-1', `${someId}-1`, `${someId}-1-x`])
    expect(parseExecutionName(other)).toBeUndefined()
})
