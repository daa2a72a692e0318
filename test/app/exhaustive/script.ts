import { canonical } from './canonical.ts'
import type { JobsCall } from './pretend-jobs.ts'
import type { TableCommand } from './table.ts'

/** What a process may ask of the world outside of it. */
export type Request =
  | { readonly of: 'table'; readonly command: TableCommand }
  /** Ends without an answer at its deadline, if it has one. */
  | { readonly of: 'jobs'; readonly call: JobsCall; readonly deadlineAt?: number | undefined }
  | { readonly of: 'sleep'; readonly until: number }
  /** The executions port: `start`, `stop` or `wake`. */
  | { readonly of: 'loops'; readonly verb: string }

export type Reply = { readonly value: unknown } | { readonly error: Error }

export interface Call {
  /** Its request, and how often the process had made the same before. */
  readonly key: string
  readonly request: Request
}

/** What a process has come to: the calls that it waits for, and how it ended. */
export interface Point {
  readonly id: number
  readonly calls: readonly Call[]
  readonly end?: Reply
}

/** What the code of a process is given to reach the world with. */
export interface Stage {
  /** Epoch milliseconds, as of the last reply. */
  now(): number
  ask(request: Request): Promise<unknown>
}

interface Known extends Point {
  readonly before?: { readonly point: Known; readonly key: string; readonly reply: Reply; readonly now: number }
  readonly after: Map<string, Known>
  /** What the calls so far were answered. */
  readonly heard: readonly string[]
  /** The code itself, where it waits at this very point. */
  performance?: Performance | undefined
}

let points = 0

/**
 * A process as a tree: from each point, each reply leads to the next. What a process does follows from the replies that it
 * has had, so the real code is run once for each way of having them, and never again when another schedule leads there.
 *
 * Strands that run side by side in one process may be answered in any order. Points at which the same calls were answered
 * the same and the same calls wait are taken for one.
 */
export class Script {
  readonly root: Known
  private readonly main: (stage: Stage) => Promise<unknown>
  private readonly startedAt: number
  private readonly bySignature = new Map<string, Known>()

  private constructor(main: (stage: Stage) => Promise<unknown>, startedAt: number, performance: Performance) {
    this.main = main
    this.startedAt = startedAt
    this.root = pointOf(performance, [])
  }

  static async begin(main: (stage: Stage) => Promise<unknown>, now: number): Promise<Script> {
    return new Script(main, now, await perform(main, now))
  }

  /** The point after a reply to one of the calls of `from`; at once where it is known. `replyKey` tells replies apart. */
  next(from: Point, key: string, reply: Reply, replyKey: string, now: number): Point | Promise<Point> {
    const answered = `${key} ${now} ${replyKey}`
    return (from as Known).after.get(answered) ?? this.discover(from as Known, answered, { key, reply, now })
  }

  private async discover(
    from: Known,
    answered: string,
    { key, reply, now }: { key: string; reply: Reply; now: number },
  ): Promise<Point> {
    const performance = from.performance ?? (await this.replay(from))
    from.performance = undefined
    await performance.reply(key, reply, now)
    const found = pointOf(performance, [...from.heard, answered].sort(), { point: from, key, reply, now })
    const calls = found.calls.map((call) => call.key).sort()
    const signature = canonical([found.heard, calls, found.end ?? '', performance.now()])
    const same = this.bySignature.get(signature)
    if (!same) this.bySignature.set(signature, found)
    from.after.set(answered, same ?? found)
    return same ?? found
  }

  /** Run the code again up to a point. */
  private async replay(to: Known): Promise<Performance> {
    const replies = []
    for (let point = to; point.before; point = point.before.point) replies.unshift(point.before)
    const performance = await perform(this.main, this.startedAt)
    for (const { key, reply, now } of replies) await performance.reply(key, reply, now)
    const isSame = performance.calls().every(({ key }, index) => key === to.calls[index]?.key)
    if (!isSame) throw new Error('a process that was run again with the same replies did something else')
    return performance
  }
}

function pointOf(performance: Performance, heard: readonly string[], before?: Known['before']): Known {
  const end = performance.end()
  const calls = performance.calls()
  return { id: points++, calls, heard, ...(end && { end }), ...(before && { before }), after: new Map(), performance }
}

interface Performance {
  calls(): readonly Call[]
  end(): Reply | undefined
  now(): number
  reply(key: string, reply: Reply, now: number): Promise<void>
}

/** Run the code of a process to where it waits. */
async function perform(main: (stage: Stage) => Promise<unknown>, startedAt: number): Promise<Performance> {
  const open = new Map<string, { call: Call; settle: (reply: Reply) => void }>()
  const made = new Map<string, number>()
  let time = startedAt
  let end: Reply | undefined
  const ask: Stage['ask'] = (request) =>
    new Promise((resolve, reject) => {
      const text = canonical(request)
      const count = (made.get(text) ?? 0) + 1
      made.set(text, count)
      const settle = (reply: Reply) => ('error' in reply ? reject(reply.error) : resolve(reply.value))
      open.set(`${count} ${text}`, { call: { key: `${count} ${text}`, request }, settle })
    })
  main({ now: () => time, ask }).then(
    (value) => {
      end = { value }
    },
    (error) => {
      end = { error }
    },
  )
  await microtasks()
  return {
    calls: () => [...open.values()].map(({ call }) => call),
    end: () => end,
    now: () => time,
    reply: async (key, reply, now) => {
      time = now
      open.get(key)?.settle(reply)
      open.delete(key)
      await microtasks()
    },
  }
}

/** Between two calls there are only microtasks. */
const microtasks = () => new Promise((resolve) => setImmediate(resolve))
