import { z } from 'zod'
import { InvalidInput } from '../../domain/errors.ts'

/** What a page's answer carries: where the next page begins, if there is one. */
export function nextCursor(key: Record<string, unknown> | undefined): { cursor?: string } {
  return key ? { cursor: Buffer.from(JSON.stringify(key)).toString('base64url') } : {}
}

/** The key that a cursor stands for. Errors: InvalidInput for text that no page gave. */
export function cursorKey(cursor: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.union([z.string(), z.number()])).parse(JSON.parse(fromBase64(cursor)))
  } catch (cause) {
    throw badCursor(cause)
  }
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64url').toString()
}

export function badCursor(cause: unknown): InvalidInput {
  return new InvalidInput('the cursor is not one that a page of this list gave', { cause })
}
