import type { Context } from '../../app/context.ts'
import { runTurn } from '../../app/run-turn.ts'
import type { Action } from '../../domain/turn/action.ts'
import type { WakeStore } from '../../store/dynamo/wake.ts'
import type { ExecutionRef } from './execution-name.ts'
import { readRanges, writeRanges } from './task-ranges.ts'

/** What the state machine asks of a turn: which loop it is, and how much history it may have written so far. */
export interface TurnRequest extends ExecutionRef {
  readonly events: number
}

/** What it goes by: exactly one of finished, hand over, act and then rest, rest. */
export interface TurnAnswer {
  readonly finished: boolean
  readonly handOver: boolean
  /** What the rest is conditional on. */
  readonly seq: number
  readonly waitSeconds: number
  readonly actions: readonly PackedAction[]
}

/** An action as the state machine passes it from turn to act. */
export interface PackedAction extends Omit<Action, 'tasks'> {
  /** `writeRanges` */
  readonly tasks: string
}

/** Acts of one turn. With what each writes into the history at most, they are 6,000 events. */
export const actsPerTurn = 400
/** Source: Step Functions developer guide, "Quotas": 25,000 events an execution. Leaves room for one whole turn. */
export const handOverAtEvents = 18_000
/** Below the 256 KiB of a state's output, which has to hold the rest of the answer as well. */
const maxActionBytes = 200 * 1024

const nothing = { finished: false, handOver: false, seq: 0, waitSeconds: 1, actions: [] }

/**
 * A turn as the state machine takes it.
 *
 * `seq` is read before the plan is made, so news that the plan may have missed ends the rest at once. A loop that is not
 * the newest ends here. One with a long history hands over before anything is planned: no action gets lost.
 */
export async function takeTurn(context: Context, wake: WakeStore, request: TurnRequest): Promise<TurnAnswer> {
  const { dispatchId, epoch, generation, events } = request
  const seq = await wake.beginTurn(dispatchId, { epoch, generation }, context.now())
  if (seq === undefined) return { ...nothing, finished: true }
  if (events > handOverAtEvents) return { ...nothing, handOver: true }
  const { finished, actions, waitSeconds } = await runTurn(context, dispatchId, epoch)
  const packed = packActions(actions, context.now())
  const isCut = packed.length < actions.length
  return { finished, handOver: false, seq, waitSeconds: isCut ? 1 : waitSeconds, actions: packed }
}

/**
 * As many actions as one pass of the state machine carries.
 *
 * What is left out is planned again: submits by the next turn, polls and kill passes when they are due again. Where to
 * begin moves on with the clock, so that no action is always the one left out.
 */
export function packActions(actions: readonly Action[], now: number): readonly PackedAction[] {
  const all = actions.map(({ tasks, ...rest }): PackedAction => ({ ...rest, tasks: writeRanges(tasks) }))
  const start = fits(all) ? 0 : Math.floor(now / 1000) % all.length
  const packed: PackedAction[] = []
  let sizeBytes = 0
  for (const action of [...all.slice(start), ...all.slice(0, start)]) {
    sizeBytes += bytesOf(action)
    if (packed.length === actsPerTurn || sizeBytes > maxActionBytes) break
    packed.push(action)
  }
  return packed
}

function fits(actions: readonly PackedAction[]): boolean {
  return actions.length <= actsPerTurn && actions.reduce((sum, action) => sum + bytesOf(action), 0) <= maxActionBytes
}

function bytesOf(action: PackedAction): number {
  return Buffer.byteLength(JSON.stringify(action)) + 1
}

/** The action that `packActions` packed. */
export function unpackAction({ tasks, ...rest }: PackedAction): Action {
  return { ...rest, tasks: readRanges(tasks) }
}
