import { NotFound } from '../../domain/errors.ts'
import type { CancellationView } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from '../read/find-dispatch.ts'
import { cancellationView, viewedAt } from '../read/views.ts'

/** How a cancellation stands now. Errors: NotFound. */
export async function describeCancellation(
  context: Context,
  caller: Caller,
  idOrPrefix: string,
  cancellationId: string,
): Promise<CancellationView> {
  const { store } = context
  const dispatch = await findDispatch(store, caller, idOrPrefix)
  const record = await store.readCancellation(dispatch.id, cancellationId)
  if (!record) throw new NotFound(`dispatch ${dispatch.id} has no cancellation ${cancellationId}`)
  // The live tasks first: what is settled between the two reads is then counted, and not missed.
  const live = await store.readLive(dispatch.id)
  return cancellationView(record, (await store.readDispatch(dispatch.id)) ?? dispatch, live, viewedAt(context))
}
