import { startBulks } from '../../app/bulk/start-bulks.ts'
import { cancelDispatch } from '../../app/cancel/cancel-dispatch.ts'
import type { Context } from '../../app/context.ts'
import { writeSelector } from '../../domain/bulk/selector.ts'
import { isRefusal } from '../../domain/errors.ts'
import type { CancelAnswer } from '../../schema/api.ts'
import type { CancelPayload } from '../../schema/lambda.ts'
import { selector } from '../../schema/selector.ts'
import { type CancelWish, readCancelEvent, readCancelPayload } from './read-cancel-event.ts'

/** What became of what an event meant. */
export type CancelResult =
  | CancelAnswer
  | { readonly bulkId: string; readonly where: string; readonly count: number }
  | { readonly dispatchId: string; readonly code: string; readonly message: string }

/**
 * Cancel what an event asks for, or a request that someone typed into the Lambda console.
 *
 * Who may invoke the function has been settled by IAM and the triggers, so the request acts as an admin. What a trigger
 * means is a bulk cancellation, named after the event: a repeat finds it there.
 * Shape: a typed request is answered as the API answers; an event with a list, one entry a dispatch or a bulk cancellation.
 * Errors: of a typed request, as `cancelDispatch`. In an event, a request that can never succeed is an entry of the
 * answer: an error would only bring the event back. What may succeed later is an error: it comes back, and ends among the
 * dead letters, where people are told of it.
 */
export async function cancelByEvent(
  context: Context,
  watched: Parameters<typeof readCancelEvent>[1],
  event: unknown,
): Promise<CancelAnswer | readonly CancelResult[]> {
  const wishes = readCancelEvent(event, watched)
  if (!wishes) {
    const payload = readCancelPayload(event)
    return cancelOne(context, payload, { source: 'console', actor: 'Lambda console' })
  }
  const results: CancelResult[] = []
  for (const wish of wishes) results.push(...(await fulfil(context, wish)))
  return results
}

async function fulfil(context: Context, wish: CancelWish): Promise<readonly CancelResult[]> {
  switch (wish.kind) {
    case 'nothing':
      context.log({ decision: 'ignore-event', why: wish.why })
      return []
    case 'one':
      return [await tryCancel(context, wish.payload, wish)]
    case 'matching':
      return cancelMatching(context, wish)
    default:
      return wish satisfies never
  }
}

type Origin = Pick<Extract<CancelWish, { kind: 'one' }>, 'source' | 'actor'> & { readonly idempotencyKey?: string }

function cancelOne(context: Context, payload: CancelPayload, origin: Origin): Promise<CancelAnswer> {
  const { dispatchId, ...order } = payload
  const { source, actor, idempotencyKey } = origin
  return cancelDispatch(context, { id: actor, isAdmin: true }, dispatchId, order, { source, idempotencyKey })
}

async function cancelMatching(
  context: Context,
  { where, ...wish }: Extract<CancelWish, { kind: 'matching' }>,
): Promise<readonly CancelResult[]> {
  const bulks = await startBulks(context, { where: selector.parse(where), ...wish })
  return bulks.map(({ id: bulkId, selector, dispatchIds: { length: count } }) => {
    const meant = writeSelector(selector)
    if (count === 0) context.log({ decision: 'ignore-event', why: `${wish.reason}, and nothing matches ${meant}` })
    else context.log({ decision: 'cancel-bulk', bulkId, source: wish.source, where: meant, dispatches: count })
    return { bulkId, where: meant, count }
  })
}

async function tryCancel(context: Context, payload: CancelPayload, origin: Origin): Promise<CancelResult> {
  try {
    return await cancelOne(context, payload, origin)
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { code, message } = error
    context.log({ decision: 'cancel-refused', dispatchId: payload.dispatchId, code, message })
    return { dispatchId: payload.dispatchId, code, message }
  }
}
