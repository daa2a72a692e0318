import { AsyncLocalStorage } from 'node:async_hooks'
import { functionMemoryMiB } from '../../../cdk/function-memory.ts'
import type { Witness } from '../../aws/aws-world.ts'
import { type Item, readUnitsOfEach, readUnitsOfQuery, writeUnits, writeUnitsOfRefusal } from './dynamo-units.ts'
import { noUsage, type Unit, type Usage } from './usage.ts'

/**
 * What an invocation takes: a duration on this machine is none on Lambda, so it is an assumption. All calls count as if
 * made one after another, though most are made side by side: rather too long than too short.
 */
export const assumedMs = { invocation: 50, dynamoCall: 10, otherCall: 100 } as const

/** SQS API reference: ReceiveMessage and DeleteMessageBatch take up to 10 messages. */
const messagesARequest = 10

export interface Meter {
  readonly witness: Witness
  /** What has been used since the last reading. */
  read(): Usage
}

/** Counts what is charged for in a world. */
export function createMeter(): Meter {
  const invocations = new AsyncLocalStorage<{ ms: number }>()
  const items = new Map<string, Item>()
  let used: Record<Unit, number> = { ...noUsage }

  const witness: Witness = {
    entered: () => {
      used.stateTransitions += 1
    },

    invoke: async (name, event, work) => {
      const invocation = { ms: assumedMs.invocation }
      if ((name === 'api' || name === 'cancel') && isHttp(event)) used.apiRequests += 1
      if (name === 'jobEvents') used.queueRequests += queueRequests(event)
      used.invocations += 1
      const answer = await invocations.run(invocation, work)
      const gb = functionMemoryMiB[name === 'jobEvents' ? 'job-events' : name] / 1024
      used.gbSeconds += (gb * invocation.ms) / 1000
      return answer
    },

    sending: (name, input) => {
      // The item as it is afterwards; who asked for nothing looks at nothing.
      if (name === 'Update') input.ReturnValues ??= 'ALL_NEW'
    },

    sent: (name, input, answer) => {
      const invocation = invocations.getStore()
      // The state machine writes an item by itself; all else outside of a function is the test's.
      if (!invocation && name !== 'UpdateItem') return
      if (name === 'PutEvents') used.busEvents += (input.Entries as unknown[]).length
      const units = dynamoUnits(items, name, input, answer)
      used.writeUnits += units?.write ?? 0
      used.readUnits += units?.read ?? 0
      if (invocation) invocation.ms += units ? assumedMs.dynamoCall : assumedMs.otherCall
    },
  }

  return {
    witness,
    read: () => {
      const usage = used
      used = { ...noUsage }
      return usage
    },
  }
}

const isHttp = (event: unknown) => typeof event === 'object' && event !== null && 'requestContext' in event

/** One for each message that EventBridge sends; Lambda receives and deletes them by tens. */
function queueRequests(event: unknown): number {
  const { length } = (event as { Records: unknown[] }).Records
  return length + 2 * Math.ceil(length / messagesARequest)
}

interface DynamoUnits {
  readonly read?: number
  readonly write?: number
}

/** Undefined for what is no call of DynamoDB. `items` are what has been written so far. */
function dynamoUnits(
  items: Map<string, Item>,
  name: string,
  input: Record<string, unknown>,
  answer: unknown,
): DynamoUnits | undefined {
  const given = answer as {
    readonly Item?: Item
    readonly Items?: readonly Item[]
    readonly Attributes?: Item
    readonly Responses?: Readonly<Record<string, readonly Item[]>>
  }
  const written = (key: Item, after: (before: Item | undefined) => Item | undefined) => {
    const place = `${key.pk} ${key.sk}`
    const before = items.get(place)
    if (answer instanceof Error) return { write: writeUnitsOfRefusal(before) }
    const next = after(before)
    if (!next) throw new Error(`the answer of ${name} has no item`)
    items.set(place, next)
    return { write: writeUnits(before, next) }
  }
  switch (name) {
    case 'Get':
      return { read: readUnitsOfEach([given.Item]) }
    case 'BatchGet':
      return { read: readUnitsOfEach(Object.values(given.Responses ?? {}).flat()) }
    case 'Query':
      return { read: readUnitsOfQuery(given.Items ?? [], input.ConsistentRead === true) }
    case 'Put':
      return written(input.Item as Item, () => input.Item as Item)
    case 'Update':
      return written(input.Key as Item, () => given.Attributes)
    case 'UpdateItem':
      return written(plainStrings(input.Key), (before) => ({ ...before, token: restToken(input) }))
    default:
      return undefined
  }
}

/** The write of the machine's Rest: not by the document client, so in DynamoDB's own form. */
function plainStrings(key: unknown): Item {
  return Object.fromEntries(Object.entries(key as Record<string, { S: string }>).map(([name, { S }]) => [name, S]))
}

function restToken(input: Record<string, unknown>): string {
  return plainStrings(input.ExpressionAttributeValues)[':token'] as string
}
