import type { EventView, PageView } from '../../schema/api.ts'
import type { PageRequest } from '../../store/store.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from './find-dispatch.ts'
import { iso } from './views.ts'

/** A page of what happened to a dispatch, oldest first. Errors: NotFound, also for others' dispatches. */
export async function listHistory(
  { store }: Pick<Context, 'store'>,
  caller: Caller,
  idOrPrefix: string,
  page: PageRequest,
): Promise<PageView<EventView>> {
  const dispatch = await findDispatch(store, caller, idOrPrefix)
  const { items, ...rest } = await store.listHistory(dispatch.id, page)
  return { items: items.map(({ at, lines }) => ({ at: iso(at), lines })), ...rest }
}
