import type { Cancellation } from '../../domain/cancellation.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { Conflict } from '../../domain/errors.ts'
import type { Fence } from '../../domain/fence.ts'
import type { Context } from '../context.ts'

/** META, of 400 KB, has room for this many fences of parts, and for as many over the whole dispatch. */
const fencesOfAKind = 100
/** How much of the reason stands in a fence; the record has all of it. A fence of 10,000 tasks is then 2.5 KB at most. */
const fenceReasonCharacters = 256
const fenceTries = 10

interface FenceOptions {
  /** Whoever asks makes no kill pass: it is due at once for the loop. */
  readonly leavesPass?: boolean
  /** Of META: when it has changed since, nothing is fenced, for whoever changed it may have taken the reason away. */
  readonly version?: number | undefined
}

/**
 * Write the fence. The first one over the whole dispatch raises the epoch as well: from then on the old loop's
 * actions do nothing, and the drain's do.
 *
 * Gives undefined where META is no longer at the version asked for, and where a redrive has taken the fence away: that
 * request is from before it, and must not cancel what was redriven. The redrive closes the record, then writes META with a
 * new epoch. We read META, then the record, and write over that epoch only: either we see the record closed, or our write
 * fails and we look again.
 */
export async function raiseFence(
  context: Context,
  record: Cancellation,
  scope: Fence['scope'],
  { leavesPass = false, version }: FenceOptions,
): Promise<Dispatch | undefined> {
  const { store } = context
  const { id, mode, graceSeconds, reason, source } = record
  for (let attempt = 0; attempt < fenceTries; attempt++) {
    const dispatch = (await store.readDispatch(record.dispatchId)) as Dispatch
    if (dispatch.status !== 'running' || dispatch.fences[id]) return dispatch
    if (version !== undefined && dispatch.version !== version) return undefined
    const mayBeClosed = dispatch.redrives !== undefined
    if (mayBeClosed && (await store.readCancellation(record.dispatchId, id))?.final) return undefined
    const others = Object.values(dispatch.fences)
    checkRoom(others, scope)
    const fence = {
      ...{ id, scope, mode, graceSeconds, source, at: context.now(), abandoned: 0, ended: {} },
      reason: reason.slice(0, fenceReasonCharacters),
    }
    const isDrain = scope === 'all' && !others.some((one) => one.scope === 'all')
    await store.writeFence(record.dispatchId, fence, { epoch: dispatch.epoch, isDrain, leavesPass, version })
  }
  throw new Conflict('the dispatch keeps changing: ask again')
}

function checkRoom(others: readonly Fence[], scope: Fence['scope']): void {
  const isWhole = scope === 'all'
  const count = others.filter((one) => (one.scope === 'all') === isWhole).length
  if (count < fencesOfAKind) return
  if (isWhole) throw new Conflict(`this dispatch was cancelled ${count} times already, and is being stopped`)
  throw new Conflict(`parts of this dispatch were cancelled ${count} times already: cancel all of it`)
}
