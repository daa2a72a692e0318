import type { DispatchRow, PageView } from '../../schema/api.ts'
import type { PageRequest } from '../../store/store.ts'
import type { ListRequest } from '../api.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { dispatchRow } from './views.ts'

/** How many pages a filtered list reads for one answer. */
const pagesRead = 10

/** The dispatches of an owner, newest first; children are shown with their parents, not beside them. */
export async function listDispatches(
  { store }: Pick<Context, 'store'>,
  caller: Caller,
  request: ListRequest,
): Promise<PageView<DispatchRow>> {
  const owner = caller.isAdmin ? (request.owner ?? caller.id) : caller.id
  const isWanted = filterOf(request)
  const items: DispatchRow[] = []
  let { cursor } = request
  for (let read = 0; read < pagesRead; read++) {
    const page = await store.listByOwner(owner, pageRequest(request.limit - items.length, cursor))
    items.push(...page.items.map(dispatchRow).filter(isWanted))
    cursor = page.cursor
    if (cursor === undefined || items.length >= request.limit) break
  }
  return { items, ...(cursor !== undefined && { cursor }) }
}

function filterOf({ status, tag }: ListRequest): (row: DispatchRow) => boolean {
  const cut = tag?.indexOf('=') ?? -1
  return (row) =>
    row.parent === undefined &&
    (status === undefined || row.state === status) &&
    (tag === undefined || row.tags[tag.slice(0, cut)] === tag.slice(cut + 1))
}

function pageRequest(limit: number, cursor: string | undefined): PageRequest {
  return { limit, ...(cursor !== undefined && { cursor }) }
}
