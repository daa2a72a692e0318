import { cancelDispatch } from '../app/cancel-dispatch.ts'
import type { Context } from '../app/context.ts'
import type { Dispatch } from '../domain/dispatch.ts'
import { QuenchError } from '../domain/errors.ts'
import type { CancelAnswer } from '../schema/api.ts'
import type { CancelPayload } from '../schema/lambda.ts'
import type { Trigger } from './config.ts'
import { type CancelWish, readCancelEvent, readCancelPayload } from './read-cancel-event.ts'

/** What became of one dispatch that an event meant. */
export type CancelResult =
  | CancelAnswer
  | { readonly dispatchId: string; readonly code: string; readonly message: string }

/**
 * Cancel what an event asks for, or a request that someone typed into the Lambda console.
 *
 * Who may invoke the function has been settled by IAM and the triggers, so the request acts as an admin.
 * Shape: a typed request is answered as the API answers; an event with a list, one entry a dispatch.
 * Errors: of a typed request, as `cancelDispatch`. In an event, what can never succeed is an entry of the answer:
 * an error would only bring the event back.
 */
export async function cancelByEvent(
  context: Context,
  triggers: readonly Trigger[],
  event: unknown,
): Promise<CancelAnswer | readonly CancelResult[]> {
  const wishes = readCancelEvent(event, triggers)
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
    case 'matching': {
      const results: CancelResult[] = []
      for (const dispatchId of await matching(context, wish.trigger)) {
        const payload = { dispatchId, reason: wish.reason, mode: 'graceful', graceSeconds: 30, dryRun: false } as const
        results.push(await tryCancel(context, payload, wish))
      }
      return results
    }
  }
}

type Origin = Pick<Extract<CancelWish, { kind: 'one' }>, 'source' | 'actor'> & { readonly idempotencyKey?: string }

function cancelOne(context: Context, payload: CancelPayload, origin: Origin): Promise<CancelAnswer> {
  const { dispatchId, ...order } = payload
  const { source, actor, idempotencyKey } = origin
  return cancelDispatch(context, { id: actor, isAdmin: true }, dispatchId, order, { source, idempotencyKey })
}

async function tryCancel(context: Context, payload: CancelPayload, origin: Origin): Promise<CancelResult> {
  try {
    return await cancelOne(context, payload, origin)
  } catch (error) {
    if (!(error instanceof QuenchError)) throw error
    const { code, message } = error
    context.log({ decision: 'cancel-refused', dispatchId: payload.dispatchId, code, message })
    return { dispatchId: payload.dispatchId, code, message }
  }
}

/** The open dispatches that a trigger is about; children go with their parents. */
async function matching({ store }: Context, trigger: Trigger): Promise<readonly string[]> {
  const found: string[] = []
  for (const dispatchId of await store.listOpen()) {
    const dispatch = await store.readDispatch(dispatchId)
    if (dispatch && !dispatch.parent && isMeant(dispatch, trigger)) found.push(dispatchId)
  }
  return found
}

function isMeant({ status, owner, tags }: Dispatch, trigger: Trigger): boolean {
  const [key = '', ...value] = trigger.tag?.split('=') ?? []
  return (
    status === 'running' &&
    (trigger.owner === undefined || owner === trigger.owner) &&
    (trigger.tag === undefined || tags[key] === value.join('='))
  )
}
