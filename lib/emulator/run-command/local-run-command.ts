import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DescribeInstanceInformationCommand,
  type DescribeInstanceInformationCommandInput,
  GetCommandInvocationCommand,
  type GetCommandInvocationCommandOutput,
  SendCommandCommand,
  type SendCommandCommandInput,
  type SendCommandCommandOutput,
  type SSMClient,
  SSMServiceException,
} from '@aws-sdk/client-ssm'
import type { Faults } from '../faults.ts'

export interface LocalRunCommandOptions {
  /** Each host keeps its jobs in a folder of its name in here. */
  readonly directory: string
  readonly hosts: Readonly<Record<string, { readonly instanceId: string }>>
  readonly faults: Faults
  /** Added to the environment of every command. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Source: amazon-ssm-agent, `iohandler.go`: what a plugin's output is cut to, and how that shows. */
const maxStdoutLength = 24_000
const maxStderrLength = 8_000
const truncated = '--output truncated--'
/** Source: API reference, CreateDocument: 64 KB with the parameters at runtime; about 1 KB is AWS-RunShellScript itself. */
const maxDocumentBytes = 63 * 1024
/** Commands that are remembered; AWS keeps them for 30 days. */
const maxCommands = 1000
/** SendCommand answers when the script has ended, or after this: what comes next is to ask for its end anyway. */
const answerMs = 500

interface Invocation extends Partial<GetCommandInvocationCommandOutput> {
  done: Promise<unknown>
  /** None where the script was not delivered. */
  child?: ChildProcess
}

/**
 * What has become of a host. `offline`: its agent is not connected, and SendCommand refuses it. `deaf`: it still counts as
 * connected, and takes no script in time. `terminated`: for good.
 */
export type HostFate = 'online' | 'offline' | 'deaf' | 'terminated'

/** The region's Run Command. `close` kills the scripts that still run; jobs they have started run on. */
export interface LocalRunCommand extends Pick<SSMClient, 'send'> {
  /** Lets something become of a host. What runs there is not touched. */
  befall(instanceId: string, fate: HostFate): void
  /** The state of an instance as EC2 spells it. Errors: for one that is no host. */
  describeInstance(instanceId: string): Promise<string>
  close(): Promise<void>
}

/**
 * Run Command as the embedded region has it: every instance id is a host, and all hosts are this machine.
 *
 * Answers SendCommand (AWS-RunShellScript only), GetCommandInvocation, and DescribeInstanceInformation by instance id. A script runs in its own process group, is
 * killed with it when `executionTimeout` is over, and its output is cut as the agent cuts it. A host differs from the
 * others by QUENCH_HOME alone.
 * Errors: as the service's, by name: InvalidInstanceId, InvalidDocument, InvalidParameters, MaxDocumentSizeExceeded,
 * ValidationException, InvocationDoesNotExist.
 * Source: API reference, SendCommand and GetCommandInvocation.
 */
export function createLocalRunCommand(options: LocalRunCommandOptions): LocalRunCommand {
  const { directory, hosts, faults, environment = {} } = options
  const hostNames = new Map(Object.entries(hosts).map(([name, { instanceId }]) => [instanceId, name]))
  const commands = new Map<string, Map<string, Invocation>>()
  const fates = new Map<string, { readonly fate: HostFate; readonly since: Date }>()
  const fateOf = (instanceId: string): HostFate => fates.get(instanceId)?.fate ?? 'online'
  const isConnected = (id: string) => hostNames.has(id) && (fateOf(id) === 'online' || fateOf(id) === 'deaf')

  const start = (instanceId: string, input: SendCommandCommandInput): Invocation => {
    const home = join(directory, hostNames.get(instanceId) ?? '')
    mkdirSync(home, { recursive: true })
    const script = input.Parameters?.commands?.join('\n') ?? ''
    const { PATH, HOME = '/', USER = '', LANG = '' } = process.env
    const child = spawn('sh', ['-c', script], {
      cwd: '/',
      env: { PATH, HOME, USER, LANG, ...environment, QUENCH_HOME: home },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stdout = collect(child.stdout, maxStdoutLength)
    const stderr = collect(child.stderr, maxStderrLength)
    const invocation: Invocation = { Status: 'InProgress', StatusDetails: 'InProgress', child, done: Promise.resolve() }

    let isOverdue = false
    const seconds = Number(input.Parameters?.executionTimeout?.[0] ?? 3600)
    const timer = setTimeout(() => {
      isOverdue = true
      killGroup(child)
    }, seconds * 1000)
    invocation.done = new Promise<void>((resolve) => {
      const end = (code: number) => {
        clearTimeout(timer)
        const [status, details] = isOverdue
          ? (['TimedOut', 'ExecutionTimedOut'] as const)
          : code === 0
            ? (['Success', 'Success'] as const)
            : (['Failed', 'Failed'] as const)
        Object.assign(invocation, {
          Status: status,
          StatusDetails: details,
          ResponseCode: code,
          StandardOutputContent: stdout(),
          StandardErrorContent: stderr(),
        })
        resolve()
      }
      child.once('close', (code) => end(code ?? 137))
      child.once('error', () => end(127))
    })
    return invocation
  }

  const sendCommand = async (input: SendCommandCommandInput): Promise<SendCommandCommandOutput> => {
    checkSendCommand(input)
    const unknown = input.InstanceIds?.find((id) => !isConnected(id))
    if (unknown !== undefined) throw ssmError('InvalidInstanceId', `Instances not in a valid state: ${unknown}`)
    const CommandId = randomUUID()
    const begin = (id: string) => (fateOf(id) === 'deaf' ? undelivered() : start(id, input))
    const invocations = new Map(input.InstanceIds?.map((id) => [id, begin(id)]))
    commands.set(CommandId, invocations)
    if (commands.size > maxCommands) commands.delete(commands.keys().next().value ?? '')
    const ended = Promise.all([...invocations.values()].map(({ done }) => done))
    await Promise.race([ended, sleep(answerMs)])
    const { DocumentName, Comment, InstanceIds } = input
    return { Command: { CommandId, DocumentName, Comment, InstanceIds, Status: 'Pending' }, $metadata: {} }
  }

  const getInvocation = (CommandId = '', InstanceId = ''): GetCommandInvocationCommandOutput => {
    const invocation = commands.get(CommandId)?.get(InstanceId)
    if (!invocation) throw ssmError('InvocationDoesNotExist', 'The command ID and managed node ID do not match')
    const { done, child, ...answer } = invocation
    return { CommandId, InstanceId, ResponseCode: -1, ...answer, $metadata: {} }
  }

  /** A terminated instance is no managed node any more. */
  const describeInformation = ({ Filters = [] }: DescribeInstanceInformationCommandInput) => {
    const asked = Filters.find(({ Key }) => Key === 'InstanceIds')?.Values ?? []
    const known = asked.filter((id) => hostNames.has(id) && fateOf(id) !== 'terminated')
    const InstanceInformationList = known.map((InstanceId) => ({
      InstanceId,
      PingStatus: isConnected(InstanceId) ? ('Online' as const) : ('ConnectionLost' as const),
      LastPingDateTime: fates.get(InstanceId)?.since ?? new Date(),
    }))
    return { InstanceInformationList, $metadata: {} }
  }

  const send = (command: unknown) => {
    if (command instanceof SendCommandCommand) return faults.around('SendCommand', () => sendCommand(command.input))
    if (command instanceof GetCommandInvocationCommand) {
      const { CommandId, InstanceId } = command.input
      return faults.around('GetCommandInvocation', () => getInvocation(CommandId, InstanceId))
    }
    if (command instanceof DescribeInstanceInformationCommand)
      return faults.around('DescribeInstanceInformation', () => describeInformation(command.input))
    return Promise.reject(new TypeError('the region has no such Systems Manager command'))
  }

  return {
    send: send as SSMClient['send'],
    befall: (instanceId, fate) => {
      fates.set(instanceId, { fate, since: new Date() })
    },
    describeInstance: async (instanceId) => {
      // Of a host that is configured no more nothing is known: this machine is there.
      if (!hostNames.has(instanceId)) throw ssmError('UnknownError', `there is no host ${instanceId}`)
      return fateOf(instanceId) === 'terminated' ? 'terminated' : 'running'
    },
    close: async () => {
      const running = [...commands.values()].flatMap((invocations) => [...invocations.values()])
      for (const { child } of running) if (child) killGroup(child)
      await Promise.all(running.map(({ done }) => done))
    },
  }
}

function checkSendCommand(input: SendCommandCommandInput): void {
  const { DocumentName, InstanceIds = [], Parameters = {}, TimeoutSeconds = 3600, Comment = '' } = input
  const refuseIf = (isWrong: boolean, name: string, message: string) => {
    if (isWrong) throw ssmError(name, message)
  }
  refuseIf(DocumentName !== 'AWS-RunShellScript', 'InvalidDocument', `Document ${DocumentName} does not exist`)
  refuseIf(InstanceIds.length < 1, 'ValidationException', 'InstanceIds must not be empty')
  refuseIf(InstanceIds.length > 50, 'ValidationException', 'InstanceIds must have at most 50 items')
  refuseIf(TimeoutSeconds < 30 || TimeoutSeconds > 2_592_000, 'ValidationException', 'TimeoutSeconds: 30 to 2592000')
  refuseIf(Comment.length > 100, 'ValidationException', 'Comment must have at most 100 characters')
  refuseIf(!Parameters.commands?.length, 'InvalidParameters', 'Parameter commands is required')
  const isSeconds = /^[1-9]\d{0,5}$/.test(Parameters.executionTimeout?.[0] ?? '3600')
  refuseIf(!isSeconds, 'InvalidParameters', 'executionTimeout must be 1 to 172800 seconds')
  const text = JSON.stringify(Parameters)
  refuseIf(/\{\{\s*ssm(-secure)?:/.test(text), 'InvalidParameters', 'The region has no Parameter Store')
  refuseIf(Buffer.byteLength(text) > maxDocumentBytes, 'MaxDocumentSizeExceeded', 'The document exceeds 64 KB')
}

/** At once, where the service would wait for `TimeoutSeconds`. */
const undelivered = (): Invocation => ({
  Status: 'TimedOut',
  StatusDetails: 'DeliveryTimedOut',
  done: Promise.resolve(),
})

const ssmError = (name: string, message: string) =>
  new SSMServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode: 400 } })

/** Reads a stream to its end and keeps its beginning. */
function collect(stream: NodeJS.ReadableStream | null, limit: number): () => string {
  let text = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (data: string) => {
    if (text.length <= limit) text += data
  })
  return () => (text.length <= limit ? text : text.slice(0, limit - truncated.length) + truncated)
}

/** Ends a script: its process group, or, where only somebody who inherited its output is left, the wait for that. */
function killGroup(child: ChildProcess): void {
  // A group without its leader may not be signalled: its id can belong to others by now.
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    process.kill(-child.pid, 'SIGKILL')
  child.stdout?.destroy()
  child.stderr?.destroy()
}
