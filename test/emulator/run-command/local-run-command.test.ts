import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetCommandInvocationCommand, SendCommandCommand, type SendCommandCommandInput } from '@aws-sdk/client-ssm'
import { afterAll, describe, expect, test } from 'vitest'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { createLocalRunCommand } from '../../../lib/emulator/run-command/local-run-command.ts'
import { createScratchHost, eventually } from '../../support/scratch-host.ts'

const scratch = createScratchHost()
const faults = createFaults()
const hosts = { one: { instanceId: 'i-1' }, two: { instanceId: 'i-2' } }
const ssm = createLocalRunCommand({ ...scratch, hosts, faults })

afterAll(async () => {
  await ssm.close()
  expect(await scratch.dispose(), 'processes left on the hosts').toBe(0)
})

const aCommand = (script: string, overrides: Partial<SendCommandCommandInput> = {}) =>
  new SendCommandCommand({
    DocumentName: 'AWS-RunShellScript',
    InstanceIds: ['i-1'],
    Parameters: { commands: [script] },
    ...overrides,
  })

const ask = (CommandId: string | undefined, InstanceId = 'i-1') =>
  ssm.send(new GetCommandInvocationCommand({ CommandId, InstanceId }))

/** Sends, and asks until it has ended. */
async function run(script: string, overrides?: Partial<SendCommandCommandInput>) {
  const { Command } = await ssm.send(aCommand(script, overrides))
  await eventually(async () => (await ask(Command?.CommandId)).Status !== 'InProgress')
  return ask(Command?.CommandId)
}

describe('a command of the region', () => {
  test('tells its code and its output', async () => {
    const success = { Status: 'Success', StatusDetails: 'Success', ResponseCode: 0, StandardOutputContent: 'hello\n' }
    expect(await run('echo hello')).toMatchObject(success)
    const failure = { Status: 'Failed', StatusDetails: 'Failed', ResponseCode: 3, StandardErrorContent: 'oh\n' }
    expect(await run('echo oh >&2; exit 3')).toMatchObject(failure)
  })

  test('runs on every host it names, each with a folder of its own', async () => {
    const { Command } = await ssm.send(aCommand('echo "$QUENCH_HOME"', { InstanceIds: ['i-1', 'i-2'] }))
    const outputs = async () => {
      const answers = await Promise.all(['i-1', 'i-2'].map((id) => ask(Command?.CommandId, id)))
      return answers.map(({ StandardOutputContent }) => StandardOutputContent)
    }
    await expect.poll(outputs).toEqual([`${scratch.directory}/one\n`, `${scratch.directory}/two\n`])
  })

  test('is in progress until it has ended', async () => {
    const flag = join(scratch.directory, 'go')
    const { Command } = await ssm.send(aCommand(`until [ -e '${flag}' ]; do sleep 0.05; done`))
    expect(await ask(Command?.CommandId)).toMatchObject({ Status: 'InProgress', ResponseCode: -1 })
    writeFileSync(flag, '')
    await eventually(async () => (await ask(Command?.CommandId)).Status === 'Success')
  })

  test('that takes too long is killed with all of its group', async () => {
    const before = scratch.countLive()
    const parameters = { commands: ['sleep 300 & sleep 300'], executionTimeout: ['1'] }
    const ended = { Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut', ResponseCode: 137 }
    expect(await run('', { Parameters: parameters })).toMatchObject(ended)
    await eventually(() => scratch.countLive() <= before)
  })

  test('has its output cut at 24,000 and 8,000 characters', async () => {
    const fill = (count: number) => `head -c ${count} /dev/zero | tr '\\000' x`
    const exact = await run(`${fill(24_000)}; ${fill(8000)} >&2`)
    expect(exact.StandardOutputContent).toBe('x'.repeat(24_000))
    expect(exact.StandardErrorContent).toBe('x'.repeat(8000))
    const cut = await run(`${fill(24_001)}; ${fill(9000)} >&2`)
    expect(cut.StandardOutputContent).toMatch(/^x+--output truncated--$/)
    expect([cut.StandardOutputContent?.length, cut.StandardErrorContent?.length]).toEqual([24_000, 8000])
  })

  test.for([
    ['InvalidInstanceId', { InstanceIds: ['i-9'] }],
    ['ValidationException', { InstanceIds: Array.from({ length: 51 }, () => 'i-1') }],
    ['ValidationException', { InstanceIds: [] }],
    ['ValidationException', { TimeoutSeconds: 29 }],
    ['ValidationException', { Comment: 'x'.repeat(101) }],
    ['InvalidDocument', { DocumentName: 'AWS-RunPowerShellScript' }],
    ['InvalidParameters', { Parameters: {} }],
    ['InvalidParameters', { Parameters: { commands: ['echo {{ ssm:secret }}'] } }],
    ['InvalidParameters', { Parameters: { commands: ['true'], executionTimeout: ['0'] } }],
    ['MaxDocumentSizeExceeded', { Parameters: { commands: ['x'.repeat(65_536)] } }],
  ] as const)('is refused with %s: %j', async ([name, overrides]) => {
    const input = overrides as Partial<SendCommandCommandInput>
    const error = await ssm.send(aCommand('true', input)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name, $fault: 'client', $metadata: { httpStatusCode: 400 } })
  })

  test('that was never sent to a host does not exist there', async () => {
    const { Command } = await ssm.send(aCommand('true'))
    await expect(ask(Command?.CommandId, 'i-2')).rejects.toMatchObject({ name: 'InvocationDoesNotExist' })
  })

  test('counts and fails as a test wants it', async () => {
    const before = faults.calls.get('SendCommand') ?? 0
    faults.inject({ command: 'SendCommand', when: 'before', error: new Error('no') })
    await expect(ssm.send(aCommand('true'))).rejects.toThrow('no')
    expect(faults.calls.get('SendCommand')).toBe(before + 1)
  })

  test('of another kind is refused', async () => {
    await expect(ssm.send({} as never)).rejects.toThrow(TypeError)
  })
})
