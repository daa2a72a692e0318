import { setTimeout as sleep } from 'node:timers/promises'
import { act } from '../app/act/act.ts'
import { concurrently } from '../app/concurrently.ts'
import type { Context } from '../app/context.ts'
import type { Executions } from '../app/executions.ts'
import { runTurn, type TurnResult } from '../app/run-turn.ts'

/** Actions of one turn that run side by side. */
const actionsAtOnce = 8
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
  done: Promise<void>
}

export interface LocalExecutions extends Executions {
  /** Stop every loop, and wait until none is in the middle of something. */
  close(): Promise<void>
}

/**
 * The loop of the state machine, in this process: turn, act, rest until there is news or the time is over.
 *
 * Guarantees: news that comes while a turn is under way makes another turn. An error ends neither the loop nor the
 * server: the turn is taken again.
 */
export function createLocalExecutions(context: () => Context): LocalExecutions {
  const loops = new Map<string, Loop>()
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

  const tryAct = async ({ dispatchId }: Loop, action: TurnResult['actions'][number]) => {
    try {
      await act(context(), dispatchId, action)
    } catch (error) {
      context().log({ decision: 'act-failed', dispatchId, kind: action.kind, error: String(error) })
    }
  }

  const run = async (loop: Loop) => {
    while (!loop.isStopped) {
      const began = performance.now()
      loop.isWoken = false
      const { finished, actions, waitSeconds } = await tryTurn(loop)
      if (finished) break
      const tookMs = performance.now() - began
      await concurrently(actionsAtOnce, actions, (action) => tryAct(loop, action))
      if (!loop.isWoken && !loop.isStopped) await rest(loop, waitSeconds * 1000)
      if (!loop.isStopped) await sleep(Math.min(250, gatherMs + tookMs))
    }
    loops.delete(keyOf(loop.dispatchId, loop.epoch))
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
        done: Promise.resolve(),
      }
      loops.set(key, loop)
      loop.done = run(loop)
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
      const all = [...loops.values()]
      for (const loop of all) stop(loop)
      await Promise.all(all.map((loop) => loop.done))
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
