import { AsyncLocalStorage } from 'node:async_hooks'
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'

/** DynamoDB calls since the count began, without the bench's own. */
export interface SendCounts {
  readonly reads: number
  readonly writes: number
  /** Those among the writes that write META. */
  readonly metaWrites: number
  /** By command, without `Command`: `GetItem` is `Get`. */
  readonly byCommand: Readonly<Record<string, number>>
}

const ours = new AsyncLocalStorage<true>()
const counters = new Set<(command: object) => void>()

const { send } = DynamoDBDocumentClient.prototype
DynamoDBDocumentClient.prototype.send = function (this: DynamoDBDocumentClient, ...args: [never]) {
  if (!ours.getStore()) for (const count of counters) count(args[0])
  return Reflect.apply(send, this, args)
}

/** Do something of the bench's own that is not to be counted. */
export function uncounted<Result>(work: () => Result): Result {
  return ours.run(true, work)
}

/** Count what every document client sends until the counts are read. */
export function countSends(): () => SendCounts {
  const byCommand: Record<string, number> = {}
  let writes = 0
  let metaWrites = 0
  const count = (command: object) => {
    const name = command.constructor.name.replace(/Command$/, '')
    byCommand[name] = (byCommand[name] ?? 0) + 1
    if (!(command instanceof PutCommand || command instanceof UpdateCommand)) return
    writes += 1
    const { sk } = (command instanceof PutCommand ? command.input.Item : command.input.Key) ?? {}
    if (sk === 'META') metaWrites += 1
  }
  counters.add(count)
  return () => {
    counters.delete(count)
    const all = Object.values(byCommand).reduce((sum, calls) => sum + calls, 0)
    return { reads: all - writes, writes, metaWrites, byCommand }
  }
}
