import { GetCommandInvocationCommand, SendCommandCommand, type SSMClient } from '@aws-sdk/client-ssm'
import { describe, expect, test } from 'vitest'
import { runScript } from '../../../lib/back-ends/run-command/run-command.ts'
import { maxScriptBytes } from '../../../lib/back-ends/run-command/script-size.ts'
import { BackendRejected, BackendUnavailable } from '../../../lib/domain/errors.ts'

const anError = (name: string, httpStatusCode = 400) =>
  Object.assign(new Error(name), {
    name,
    $fault: httpStatusCode < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode },
  })

/** Systems Manager with prepared answers: an error is thrown, the last answer is repeated. */
function aService(...answers: readonly unknown[]) {
  const sent: unknown[] = []
  const pauses: number[] = []
  let asked = 0
  const send = async (command: unknown) => {
    const isFirst = command instanceof SendCommandCommand
    if (!isFirst) expect(command).toBeInstanceOf(GetCommandInvocationCommand)
    if (isFirst) sent.push(command.input)
    const answer = isFirst && !(answers[0] instanceof Error) ? { Command: { CommandId: 'c' } } : answers[asked]
    if (!isFirst) asked = Math.min(asked + 1, answers.length - 1)
    if (answer instanceof Error) throw answer
    return answer
  }
  const sleep = async (ms: number) => pauses.push(ms)
  const run = (script = 'true') =>
    runScript(
      { ssm: { send: send as SSMClient['send'] }, sleep },
      { instanceId: 'i-1', script, comment: 'x'.repeat(150) },
    )
  return { run, sent, pauses }
}

describe('a script on a host', () => {
  test('is waited for, patiently and then more slowly', async () => {
    const waiting = ['Pending', 'InProgress', 'Delayed'].flatMap((Status) => [
      { Status },
      { Status },
      { Status },
      { Status },
    ])
    const done = { Status: 'Success', StatusDetails: 'Success', ResponseCode: 0, StandardOutputContent: 'hello' }
    const service = aService(...waiting, done)
    expect(await service.run()).toEqual({ exitCode: 0, stdout: 'hello', stderr: '' })
    expect(service.pauses[0]).toBe(20)
    expect(Math.max(...service.pauses)).toBeLessThanOrEqual(2000)
    expect(service.sent).toMatchObject([
      { DocumentName: 'AWS-RunShellScript', InstanceIds: ['i-1'], TimeoutSeconds: 30 },
    ])
    expect((service.sent[0] as { Comment: string }).Comment).toHaveLength(100)
  })

  test('that is not to be seen yet is asked for again', async () => {
    const done = { Status: 'Failed', StatusDetails: 'Failed', ResponseCode: 3, StandardErrorContent: 'oh' }
    const service = aService({ Status: 'Pending' }, anError('InvocationDoesNotExist'), done)
    expect(await service.run()).toEqual({ exitCode: 3, stdout: '', stderr: 'oh' })
  })

  test.for([
    ['the host is offline', anError('InvalidInstanceId'), 'no'],
    ['the call is throttled', anError('ThrottlingException'), 'no'],
    ['the service is ill', anError('InternalServerError', 500), 'unknown'],
    ['the connection broke', new Error('socket hang up'), 'unknown'],
    ['it was not delivered in time', { Status: 'TimedOut', StatusDetails: 'Delivery Timed Out' }, 'unknown'],
    ['it was not over in time', { Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut' }, 'unknown'],
    ['it could not be delivered', { Status: 'Failed', StatusDetails: 'Undeliverable', ResponseCode: -1 }, 'unknown'],
    ['it was terminated', { Status: 'Failed', StatusDetails: 'Terminated', ResponseCode: -1 }, 'unknown'],
    ['somebody cancelled it', { Status: 'Cancelled', StatusDetails: 'Cancelled' }, 'unknown'],
    ['it never ends', { Status: 'InProgress', StatusDetails: 'In Progress' }, 'unknown'],
  ] as const)('says whether it may have run when %s', async ([, answer, arrived]) => {
    const error = await aService(answer)
      .run()
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(BackendUnavailable)
    expect(error).toMatchObject({ arrived })
  })

  test('may have run when its end cannot be asked for', async () => {
    const error = await aService({ Status: 'Pending' }, anError('ThrottlingException'))
      .run()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'BackendUnavailable', arrived: 'unknown' })
  })

  test('is refused for good where the service says so, or where it is too long', async () => {
    await expect(aService(anError('AccessDeniedException')).run()).rejects.toBeInstanceOf(BackendRejected)
    await expect(aService({ Status: 'Failed', StatusDetails: 'Invalid Platform' }).run()).rejects.toBeInstanceOf(
      BackendRejected,
    )
    await expect(aService({}).run('x'.repeat(maxScriptBytes))).rejects.toBeInstanceOf(BackendRejected)
  })
})
