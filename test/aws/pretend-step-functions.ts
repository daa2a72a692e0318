import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
  TaskTimedOut,
} from '@aws-sdk/client-sfn'
import { executionArn } from '../../lib/aws/executions/execution-name.ts'
import type { LocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { interpret, type Machine, StatesError, Stopped } from './asl-interpreter.ts'
import type { TestClock } from './test-clock.ts'

export interface Execution {
  readonly name: string
  readonly input: string
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED'
  /** Events in its history. */
  events: number
  /** Of a FAILED one. */
  error?: string
}

interface Options {
  readonly clock: TestClock
  readonly machine: Machine
  readonly stateMachineArn: string
  readonly dynamo: LocalDynamo
  /** The functions by their ARNs. */
  readonly functions: Readonly<Record<string, (payload: unknown) => Promise<unknown>>>
  /** Gets every `Step Functions Execution Status Change` of an end. */
  readonly onEnd: (event: unknown) => Promise<unknown>
  readonly onTransition?: () => void
  /** How long task tokens are; as short as can be by default. */
  readonly tokenLength?: number
}

interface Invocation {
  readonly FunctionName: string
  readonly InvocationType?: string
  readonly Payload: unknown
}

/** Source: Step Functions developer guide, "Quotas". */
const maxPayloadBytes = 256 * 1024
const maxEvents = 25_000
const metadata = { $metadata: {} }

/** Step Functions with one state machine, run by the interpreter; `answer` is what an SFN client's `send` does. */
export function createPretendStepFunctions(options: Options) {
  const {
    clock,
    machine,
    stateMachineArn,
    dynamo,
    functions,
    onEnd,
    onTransition = () => {},
    tokenLength = 0,
  } = options
  const executions = new Map<string, Execution>()
  const callbacks = new Map<string, { execution: Execution; resolve: (output: unknown) => void }>()
  let tokens = 0

  const run = async (execution: Execution) => {
    const note = (count: number) => {
      execution.events += count
      if (execution.events >= maxEvents) throw new StatesError('States.Runtime', 'the history is full')
    }
    const input = JSON.parse(execution.input)
    const arn = executionArn(stateMachineArn, execution.name)
    const startTime = new Date(clock.now()).toISOString()
    note(1)
    try {
      await interpret(machine, input, {
        clock,
        services: {
          'lambda:invoke': invoke,
          'aws-sdk:dynamodb:updateItem': updateItem,
          'aws-sdk:sfn:startExecution': startAgain,
        },
        context: {
          Execution: { Id: arn, Input: input, Name: execution.name, StartTime: startTime },
          StateMachine: { Id: stateMachineArn, Name: stateMachineArn.split(':').at(-1) },
        },
        isStopped: () => execution.status !== 'RUNNING',
        onEvents: note,
        onTransition,
        newToken: () => `token-${++tokens}`.padEnd(tokenLength, '.'),
        expect: (token, resolve) => callbacks.set(token, { execution, resolve }),
      })
      if (execution.status === 'RUNNING') execution.status = 'SUCCEEDED'
    } catch (error) {
      if (!(error instanceof StatesError || error instanceof Stopped)) throw error
      if (error instanceof StatesError && execution.status === 'RUNNING') {
        execution.status = 'FAILED'
        execution.error = `${error.error}: ${error.message}`
      }
    }
    if (execution.status !== 'ABORTED') await tell(execution)
  }

  const tell = (execution: Execution) => onEnd(statusEvent(stateMachineArn, execution))

  const invoke = async ({ FunctionName, InvocationType, Payload }: Invocation) => {
    const work = functions[FunctionName]
    if (!work) throw new StatesError('Lambda.ResourceNotFoundException', FunctionName)
    if (InvocationType === 'Event') {
      // Without retries, as the stack sets it: an error is the end of it.
      clock.schedule(0, () => work(JSON.parse(JSON.stringify(Payload))).catch(() => undefined))
      return { StatusCode: 202, Payload: {} }
    }
    try {
      const answer = JSON.stringify((await work(JSON.parse(JSON.stringify(Payload)))) ?? null)
      if (answer.length > maxPayloadBytes) throw new StatesError('States.DataLimitExceeded', FunctionName)
      return { ExecutedVersion: '$LATEST', StatusCode: 200, Payload: JSON.parse(answer) }
    } catch (error) {
      if (error instanceof StatesError) throw error
      throw new StatesError((error as Error).name, (error as Error).message)
    }
  }

  const updateItem = async (args: never) => {
    try {
      return await dynamo.client.send(new UpdateItemCommand(args) as never)
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException)
        throw new StatesError('DynamoDb.ConditionalCheckFailedException', error.message)
      throw error
    }
  }

  const start = (name: string, input: string) => {
    const known = executions.get(name)
    if (known && (known.status !== 'RUNNING' || known.input !== input))
      throw new ExecutionAlreadyExists({ message: name, ...metadata })
    if (known) return
    if (!/^[0-9A-Za-z-]{1,80}$/.test(name)) throw new Error(`${name} cannot be the name of an execution`)
    const execution: Execution = { name, input, status: 'RUNNING', events: 0 }
    executions.set(name, execution)
    clock.schedule(0, () => run(execution))
  }

  const startAgain = async (args: { StateMachineArn: string; Name: string; Input: string }) => {
    try {
      start(args.Name, args.Input)
      return { ExecutionArn: executionArn(args.StateMachineArn, args.Name) }
    } catch (error) {
      if (!(error instanceof ExecutionAlreadyExists)) throw error
      throw new StatesError('Sfn.ExecutionAlreadyExistsException', error.message)
    }
  }

  const find = (arn: string | undefined): Execution => {
    const execution = executions.get(arn?.split(':').at(-1) ?? '')
    if (!execution) throw new ExecutionDoesNotExist({ message: String(arn), ...metadata })
    return execution
  }

  const stop = async (execution: Execution) => {
    if (execution.status !== 'RUNNING') return
    execution.status = 'ABORTED'
    for (const { execution: one, resolve } of callbacks.values()) if (one === execution) resolve(undefined)
    await tell(execution)
  }

  return {
    executions,
    stop: (name: string) => stop(find(name)),
    answer: async (command: unknown): Promise<unknown> => {
      if (command instanceof StartExecutionCommand) {
        const { name = '', input = '{}' } = command.input
        start(name, input)
        return { executionArn: executionArn(stateMachineArn, name) }
      }
      if (command instanceof StopExecutionCommand) {
        await stop(find(command.input.executionArn))
        return {}
      }
      if (command instanceof DescribeExecutionCommand) return { status: find(command.input.executionArn).status }
      if (command instanceof SendTaskSuccessCommand) {
        const { taskToken = '', output = '' } = command.input
        const callback = callbacks.get(taskToken)
        if (callback?.execution.status !== 'RUNNING') throw new TaskTimedOut({ message: taskToken, ...metadata })
        callbacks.delete(taskToken)
        callback.resolve(JSON.parse(output))
        return {}
      }
      throw new Error(`the pretended Step Functions does not answer ${(command as object).constructor.name}`)
    },
  }
}

/** Source: Step Functions developer guide, "Events for execution status changes". */
export function statusEvent(
  stateMachineArn: string,
  { name, status, input }: Pick<Execution, 'name' | 'status' | 'input'>,
) {
  const arn = executionArn(stateMachineArn, name)
  return {
    version: '0',
    id: `315c1398-40ff-a850-213b-158f73e60175-${name}`,
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account: '111122223333',
    time: '2026-11-23T12:00:00Z',
    region: 'eu-west-1',
    resources: [arn],
    detail: {
      executionArn: arn,
      stateMachineArn,
      name,
      status,
      startDate: 1_700_000_000_000,
      stopDate: 1_700_000_060_000,
      input,
      inputDetails: { included: true },
      output: null,
      outputDetails: null,
    },
  }
}
