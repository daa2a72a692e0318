import { BatchClient } from '@aws-sdk/client-batch'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SQSClient } from '@aws-sdk/client-sqs'
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { vi } from 'vitest'
import { dispatchDefinition } from '../../cdk/dispatch-definition.ts'
import { type ExecutionRef, parseExecutionName } from '../../lib/aws/executions/execution-name.ts'
import type { LocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { createDynamoStore } from '../../lib/store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../../lib/store/dynamo/dynamo-bulks.ts'
import { announcedKeys } from '../../lib/store/dynamo/written-item.ts'
import { someTime } from '../support/builders.ts'
import type { Machine } from './asl-interpreter.ts'
import { httpEventOf } from './events.ts'
import { createPretendBatch, type Fate } from './pretend-batch.ts'
import { createPretendBus } from './pretend-bus.ts'
import { createPretendQueue } from './pretend-queue.ts'
import { createPretendStepFunctions } from './pretend-step-functions.ts'
import { createPretendStream } from './pretend-stream.ts'
import { createTestClock } from './test-clock.ts'

const stateMachineArn = 'arn:aws:states:eu-west-1:111122223333:stateMachine:quench-dispatch'
const arnOf = (name: string) => `arn:aws:lambda:eu-west-1:111122223333:function:quench-${name}`

/** As the stack sets them. */
export const environment = {
  AWS_REGION: 'eu-west-1',
  QUENCH_TABLE: 'quench',
  QUENCH_STATE_MACHINE_ARN: stateMachineArn,
  QUENCH_BUCKET: 'amazon-braket-quench-111122223333-eu-west-1',
  QUENCH_BACKENDS: JSON.stringify({ batch: { jobQueues: ['default'] } }),
  QUENCH_BULK_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/111122223333/quench-bulk',
  QUENCH_ADMINS: JSON.stringify({ principals: ['arn:aws:iam::111122223333:role/Admin'], groups: ['quench-admins'] }),
}

export const definition = dispatchDefinition({
  turnArn: arnOf('turn'),
  actArn: arnOf('act'),
  tableName: environment.QUENCH_TABLE,
  stateMachineArn,
})

export interface AwsWorldOptions {
  readonly fates?: Readonly<Record<string, Fate>>
  /** Jobs tell nothing by themselves. */
  readonly isSilent?: boolean
  /** Step Functions tells nobody of the ends of executions. */
  readonly isDeaf?: boolean
  /** The writes of the table are told to `announce`; where not, they cost fewer reads. */
  readonly isAnnouncing?: boolean
  /** The events that a first generation is told to have written already. */
  readonly historySoFar?: number
  /**
   * How many job events the queue gives to `job-events` at once, what comes within a second together; one at a time
   * and at once by default.
   */
  readonly eventsAtOnce?: number
  /** Whether jobs tell every state that they pass. */
  readonly tellsAll?: boolean
  readonly tokenLength?: number
  /** How long anything may take, in real time. */
  readonly patienceMs?: number
  readonly witness?: Witness
  /** Before a function is called; may throw instead of it. */
  readonly before?: (name: 'turn' | 'act', payload: unknown) => Promise<void> | void
}

type Handler = (event: unknown) => Promise<unknown>
type Handlers = Record<'api' | 'turn' | 'act' | 'cancel' | 'jobEvents' | 'reap' | 'sweep' | 'announce', Handler>

/** Who looks on, to count. */
export interface Witness {
  /** Runs each invocation of a function. */
  invoke<Answer>(name: keyof Handlers, event: unknown, work: () => Promise<Answer>): Promise<Answer>
  /** A client is about to send this. */
  sending(name: string, input: Record<string, unknown>): void
  /** This has come of it; where it was an error, that. */
  sent(name: string, input: Record<string, unknown>, answer: unknown): void
  /** The state machine has entered a state. */
  entered(): void
}

/** A call that a function made through a client of the SDK. */
interface Call {
  readonly name: string
  readonly input: Record<string, unknown>
}

/**
 * The functions as Lambda starts them, over DynamoDB in process, with Step Functions and Batch answered at `send`: the
 * real definition runs the real handlers. One world at a time; the functions are loaded once a test file.
 */
export async function openAwsWorld(dynamo: LocalDynamo, options: AwsWorldOptions = {}) {
  const { witness } = options
  const clock = createTestClock(someTime, options.patienceMs)
  const calls: Call[] = []
  const failing = new Set<string>()
  const turns: { request: ExecutionRef & { events: number }; answer: unknown; events: number; at: number }[] = []
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  // What the functions log is one line a decision; tests that want to see it spy themselves.
  vi.spyOn(console, 'log').mockImplementation(() => {})

  const realSend = Object.getPrototypeOf(DynamoDBDocumentClient.prototype).send as (
    command: unknown,
  ) => Promise<unknown>
  const answering = (target: object, answer: (command: never) => Promise<unknown>) =>
    vi.spyOn(target as { send: (command: never) => Promise<unknown> }, 'send').mockImplementation((command: never) => {
      const { input } = command as Pick<Call, 'input'>
      const name = (command as object).constructor.name.replace('Command', '')
      // Of a large dispatch they would fill the memory.
      if (!witness) calls.push({ name, input })
      if (failing.delete(name)) return Promise.reject(new Error(`${name} is not to be had`))
      if (!witness) return answer(command)
      witness.sending(name, input)
      return answer(command).then(
        (given) => {
          witness.sent(name, input, given)
          return given
        },
        (error) => {
          witness.sent(name, input, error)
          throw error
        },
      )
    })

  const waiting: unknown[] = []
  const deliver = async (events: readonly unknown[]) => {
    const Records = events.map((event, n) => ({
      messageId: `message-${calls.length}-${n}`,
      body: JSON.stringify(event),
    }))
    await functions.jobEvents({ Records })
  }
  const tell = async (event: unknown) => {
    const { eventsAtOnce } = options
    if (eventsAtOnce === undefined) return deliver([event])
    if (waiting.push(event) > 1) return
    clock.schedule(1, async () => {
      for (const all = waiting.splice(0); all.length > 0; ) await deliver(all.splice(0, eventsAtOnce))
    })
  }
  const batch = createPretendBatch({
    fates: options.fates ?? {},
    schedule: clock.schedule,
    now: clock.now,
    tellsAll: options.tellsAll ?? false,
    onEvent: async (event) => {
      if (!options.isSilent) await tell(event)
    },
  })
  const machine = structuredClone(definition) as unknown as Machine
  if (options.historySoFar !== undefined)
    Object.assign(machine.States.Begin?.Assign ?? {}, {
      events: `{% $states.context.Execution.Input.generation = 1 ? ${options.historySoFar} : 0 %}`,
    })
  const steps = createPretendStepFunctions({
    clock,
    machine,
    stateMachineArn,
    dynamo,
    ...(witness && { onTransition: witness.entered }),
    ...(options.tokenLength !== undefined && { tokenLength: options.tokenLength }),
    functions: {
      [arnOf('turn')]: async (payload) => {
        await options.before?.('turn', payload)
        const request = payload as ExecutionRef & { events: number }
        const name = `${request.dispatchId}-${request.epoch}-${request.generation}`
        const events = steps.executions.get(name)?.events ?? 0
        const answer = await functions.turn(payload)
        turns.push({ request, answer, events, at: clock.now() })
        return answer
      },
      [arnOf('act')]: async (payload) => {
        await options.before?.('act', payload)
        return functions.act(payload)
      },
    },
    onEnd: async (event) => {
      if (!options.isDeaf) await functions.reap(event)
    },
  })

  const bus = createPretendBus()
  const stream = createPretendStream(dynamo, (command) => realSend.call(dynamo.client, command), clock.now)
  let announced = 0
  let announcing: Promise<unknown> = Promise.resolve()
  let isCollecting = false
  /** What Lambda does with a stream: batches of what is new, one after the other. */
  const announce = () => {
    isCollecting = false
    announcing = announcing.then(async () => {
      while (announced < stream.records.length) {
        const Records = stream.records.slice(announced, announced + 100)
        announced += Records.length
        await functions.announce({ Records })
      }
    })
    return announcing
  }
  answering(DynamoDBDocumentClient.prototype, async (command: object) => {
    const write = () => realSend.call(dynamo.client, command)
    const key = options.isAnnouncing && writtenKey(command)
    if (!key) return write()
    const answer = await stream.record(key, write)
    // As the stack sets its batching window.
    if (!isCollecting) clock.schedule(1, announce)
    isCollecting = true
    return answer
  })
  answering(EventBridgeClient.prototype, (command) => bus.answer(command))
  answering(SFNClient.prototype, (command) => steps.answer(command))
  answering(BatchClient.prototype, (command) => batch.answer(command))
  const queue = createPretendQueue({ schedule: clock.schedule, consume: (event) => functions.cancel(event) })
  answering(SQSClient.prototype, (command) => queue.answer(command))
  const functions = await loadFunctions(witness)

  const store = createDynamoStore(dynamo.client, dynamo.tableName)
  const request = async (
    method: string,
    path: string,
    body?: unknown,
    handler: Handler = functions.api,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const answer = (await clock.busy(() => handler(httpEventOf({ method, path, body, headers })))) as {
      statusCode: number
      body: string
    }
    return { statusCode: answer.statusCode, body: JSON.parse(answer.body) }
  }

  return {
    clock,
    batch,
    queue,
    steps,
    calls,
    turns,
    bus,
    /** The records of the table's stream, as far as `announce` gets them. */
    records: stream.records,
    /** Until all that was written has been announced. */
    announceAll: async () => {
      while (announced < stream.records.length) await clock.busy(announce)
      await announcing
    },
    store,
    bulks: createDynamoBulks(dynamo.client, dynamo.tableName),
    functions,
    /** The next call of this name, of whatever client, fails. */
    failNext: (name: string) => failing.add(name),
    request,
    submit: async (graph: unknown): Promise<string> => (await request('POST', '/dispatches', graph)).body.dispatchId,
    cancel: (dispatchId: string, body: unknown = {}) =>
      request('POST', `/dispatches/${dispatchId}/cancellations`, body, functions.cancel),
    cancelMany: (body: unknown, headers?: Readonly<Record<string, string>>) =>
      request('POST', '/cancellations', body, functions.cancel, headers),
    /** Until the dispatch and every execution of it have ended. */
    end: (dispatchId: string) =>
      clock.runUntil(async () => {
        const isRunning = [...steps.executions.values()].some(({ status }) => status === 'RUNNING')
        return !isRunning && (await store.readDispatch(dispatchId))?.status !== 'running'
      }),
    /** The names of all executions, without the id of the dispatch: `epoch-generation`. */
    loops: () =>
      [...steps.executions.values()].map(({ name, status }) => {
        const { epoch, generation } = parseExecutionName(name) ?? {}
        return `${epoch}-${generation} ${status}`
      }),
  }
}

async function loadFunctions(witness: Witness | undefined): Promise<Handlers> {
  const [api, turn, act, cancel, jobEvents, reap, sweep, announce] = await Promise.all([
    import('../../functions/api.ts'),
    import('../../functions/turn.ts'),
    import('../../functions/act.ts'),
    import('../../functions/cancel.ts'),
    import('../../functions/job-events.ts'),
    import('../../functions/reap.ts'),
    import('../../functions/sweep.ts'),
    import('../../functions/announce.ts'),
  ])
  const modules = { api, turn, act, cancel, jobEvents, reap, sweep, announce }
  const watched = Object.entries(modules).map(([name, module]) => {
    const handler = module.handler as Handler
    const invoke: Handler = (event) =>
      witness ? witness.invoke(name as keyof Handlers, event, () => handler(event)) : handler(event)
    return [name, invoke]
  })
  return Object.fromEntries(watched)
}

/** The item that a command writes, where the stream's filter lets its record through. */
function writtenKey(command: object): { pk: string; sk: string } | undefined {
  if (!(command instanceof PutCommand || command instanceof UpdateCommand)) return undefined
  const { pk, sk } = (command instanceof PutCommand ? command.input.Item : command.input.Key) ?? {}
  return sk === announcedKeys.meta || String(sk).startsWith(announcedKeys.taskPrefix) ? { pk, sk } : undefined
}
