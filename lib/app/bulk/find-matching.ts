import { matches, type Selector } from '../../domain/bulk/selector.ts'
import { hasWholeFence } from '../../domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { executorsOf } from '../../domain/graph/executors-of.ts'
import type { Store } from '../../store/store.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'

/** Reads side by side, and dispatches a read: 10,000 open ones are a dozen rounds. */
const readsAtOnce = 8
const dispatchesARead = 100

/**
 * The open dispatches that a selector means, newest first.
 *
 * The list of what is open is eventually consistent: a dispatch made in this very second may be missed, as one made in
 * the next is. `createdUntil` leaves out what came later than that, in epoch milliseconds, also by a redrive of what had
 * ended.
 */
export async function findMatching(
  { store, now }: Pick<Context, 'store' | 'now'>,
  selector: Selector,
  { createdUntil = Number.POSITIVE_INFINITY }: { readonly createdUntil?: number | undefined } = {},
): Promise<readonly Dispatch[]> {
  const open = (await readAll(store, await store.listOpen())).filter(({ status }) => status === 'running')
  const executors = selector.backend === undefined ? undefined : await executorsInUse(store, open)
  return open
    .filter((dispatch) => {
      const status = hasWholeFence(dispatch.fences) ? ('cancelling' as const) : ('running' as const)
      const candidate = { ...dispatch, status, executors: [...(executors?.get(dispatch.id) ?? [])] }
      const isMeant = (dispatch.openedAt ?? dispatch.createdAt) <= createdUntil
      return !dispatch.parent && isMeant && matches(selector, candidate, now())
    })
    .sort((a, b) => b.createdAt - a.createdAt)
}

async function readAll(store: Pick<Store, 'readDispatches'>, ids: readonly string[]): Promise<readonly Dispatch[]> {
  const parts = Array.from({ length: Math.ceil(ids.length / dispatchesARead) }, (_, n) =>
    ids.slice(n * dispatchesARead, (n + 1) * dispatchesARead),
  )
  const read = await concurrently(readsAtOnce, parts, (part) => store.readDispatches(part))
  return read.flatMap((found) => [...found.values()])
}

/** By dispatch: the executors that it uses, and those that the open dispatches inside it do. */
async function executorsInUse(store: Store, open: readonly Dispatch[]): Promise<ReadonlyMap<string, Set<string>>> {
  const byId = new Map(open.map((dispatch) => [dispatch.id, dispatch]))
  const used = new Map(open.map(({ id }) => [id, new Set<string>()]))
  const rootOf = (dispatch: Dispatch): Dispatch => {
    const parent = dispatch.parent && byId.get(dispatch.parent.dispatchId)
    return parent ? rootOf(parent) : dispatch
  }
  await concurrently(readsAtOnce, open, async (dispatch) => {
    const own = dispatch.executors ?? executorsOf(await store.readGraph(dispatch.id))
    for (const executor of own) used.get(rootOf(dispatch).id)?.add(executor)
  })
  return used
}
