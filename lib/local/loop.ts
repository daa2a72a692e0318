import { setTimeout as sleep } from 'node:timers/promises'
import { act } from '../app/act/act.ts'
import { createUnderWay, type UnderWay } from '../app/act/under-way.ts'
import type { Context } from '../app/context.ts'
import type { Executions } from '../app/executions.ts'
import { runTurn, type TurnResult } from '../app/run-turn.ts'
import type { Action } from '../domain/turn/action.ts'
import { createLanes, type Lanes } from './lanes.ts'

/** Actions of one kind for one place of a back end that run side by side. */
const actionsAtOnce = 8
/** How long `close` waits for what is under way before it is told to end. */
const closeGraceMs = 5_000
/** After an error of the loop itself, before it tries again. */
const errorDelayMs = 1000
/** News comes in crowds: a turn waits this long for more of it, and never takes more than half of the time. */
const gatherMs = 10

interface Loop {
  readonly dispatchId: string
  readonly epoch: number
  isStopped: boolean
  isWoken: boolean
  /** Ends the rest. */
  rise: () => void
  readonly underWay: UnderWay
  readonly lanes: Lanes
  readonly acts: Set<Promise<void>>
}

export interface LocalExecutions extends Executions {
  /** Stop every loop, and wait until none is in the middle of something. */
  close(): Promise<void>
}

/**
 * The loop of the state machine, in this process: turn, begin what it asks for, rest until there is news or the time is over.
 *
 * A turn waits for nothing that the last one has begun: kills, polls and submits go on side by side, each place of each back
 * end in lanes of its own, and what hangs holds up nothing else.
 * Guarantees: news that comes while a turn is under way makes another turn. An error ends neither the loop nor the
 * server: the turn is taken again.
 */
export function createLocalExecutions(context: () => Context): LocalExecutions {
  const loops = new Map<string, Loop>()
  /** Loops that have ended or are about to, until what they have begun has ended as well. */
  const running = new Set<Promise<void>>()
  const closing = new AbortController()
  const keyOf = (dispatchId: string, epoch: number) => `${dispatchId}#${epoch}`

  const tryTurn = async ({ dispatchId, epoch }: Loop): Promise<TurnResult> => {
    try {
      return await runTurn(context(), dispatchId, epoch)
    } catch (error) {
      context().log({ decision: 'turn-failed', dispatchId, epoch, error: String(error) })
      await sleep(errorDelayMs)
      return { finished: false, actions: [], waitSeconds: 1 }
    }
  }

  const tryAct = async ({ dispatchId, isStopped }: Loop, action: Action) => {
    // Whoever has taken over plans what has not begun.
    if (isStopped) return
    try {
      await act(context(), dispatchId, action, closing.signal)
    } catch (error) {
      context().log({ decision: 'act-failed', dispatchId, kind: action.kind, error: String(error) })
    }
  }

  const begin = (loop: Loop, planned: Action) => {
    const action = loop.underWay.begin(planned)
    if (!action) return
    const { kind, executor, place = '' } = action
    const acting = loop.lanes
      .run(`${kind} ${executor} ${place}`, () => tryAct(loop, action))
      .finally(() => {
        loop.underWay.end(action)
        loop.acts.delete(acting)
      })
    loop.acts.add(acting)
  }

  const run = async (loop: Loop) => {
    while (!loop.isStopped) {
      const began = performance.now()
      loop.isWoken = false
      const { finished, actions, waitSeconds } = await tryTurn(loop)
      if (finished) break
      const tookMs = performance.now() - began
      for (const action of actions) begin(loop, action)
      if (!loop.isWoken && !loop.isStopped) await rest(loop, waitSeconds * 1000)
      if (!loop.isStopped) await sleep(Math.min(250, gatherMs + tookMs))
    }
    loops.delete(keyOf(loop.dispatchId, loop.epoch))
    await Promise.all(loop.acts)
  }

  return {
    start: async (dispatchId, epoch) => {
      const key = keyOf(dispatchId, epoch)
      if (loops.has(key)) return
      const loop: Loop = {
        dispatchId,
        epoch,
        isStopped: false,
        isWoken: false,
        rise: () => {},
        underWay: createUnderWay(),
        lanes: createLanes(actionsAtOnce),
        acts: new Set(),
      }
      loops.set(key, loop)
      const done = run(loop).finally(() => running.delete(done))
      running.add(done)
    },
    stop: async (dispatchId, epoch) => stop(loops.get(keyOf(dispatchId, epoch))),
    wake: async (dispatchId) => {
      for (const loop of loops.values()) {
        if (loop.dispatchId !== dispatchId) continue
        loop.isWoken = true
        loop.rise()
      }
    },
    close: async () => {
      for (const loop of loops.values()) stop(loop)
      const timer = setTimeout(() => closing.abort(), closeGraceMs)
      await Promise.all(running)
      clearTimeout(timer)
    },
  }
}

function stop(loop: Loop | undefined): void {
  if (!loop) return
  loop.isStopped = true
  loop.rise()
}

function rest(loop: Loop, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    loop.rise = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}
