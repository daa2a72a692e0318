import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { Dispatch } from '../../domain/dispatch.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { dispatchFromItem, runFromItem } from './items.ts'

/** An item before and after a write, as a stream of the table tells it to a function: binary values are base64. */
export interface Images {
  readonly OldImage?: object
  readonly NewImage?: object
}

/** A write of META or of a task's item. */
export type Written =
  | { readonly kind: 'dispatch'; readonly before?: Dispatch; readonly after: Dispatch }
  | { readonly kind: 'run'; readonly dispatchId: string; readonly before?: TaskRun; readonly after: TaskRun }

/** The sort keys whose writes `readWritten` reads; a stream need not deliver the others. */
export const announcedKeys = { meta: 'META', taskPrefix: 'TASK#' } as const

/**
 * The write behind two images; undefined for a deletion, and for items of other kinds.
 *
 * Errors: those of the schemas, for an item that is not what it should be.
 */
export function readWritten({ OldImage, NewImage }: Images): Written | undefined {
  if (NewImage === undefined) return undefined
  const item = itemOf(NewImage)
  const old = OldImage === undefined ? undefined : itemOf(OldImage)
  const sk = String(item.sk)
  if (sk === announcedKeys.meta) {
    return { kind: 'dispatch', ...(old && { before: dispatchFromItem(old) }), after: dispatchFromItem(item) }
  }
  if (!sk.startsWith(announcedKeys.taskPrefix)) return undefined
  const dispatchId = String(item.pk).slice('DISPATCH#'.length)
  return { kind: 'run', dispatchId, ...(old && { before: runFromItem(old) }), after: runFromItem(item) }
}

function itemOf(image: object): Record<string, unknown> {
  return unmarshall(withBytes(image) as Record<string, AttributeValue>)
}

/** `{ B: '<base64>' }` with its bytes; only a type tag has text behind the name `B`, an attribute has an object. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      name === 'B' && typeof inner === 'string'
        ? [name, Uint8Array.from(Buffer.from(inner, 'base64'))]
        : [name, withBytes(inner)],
    ),
  )
}
