import { InvalidInput } from '../../domain/errors.ts'

/** Where a page of a list begins whose cursor is a place in it. Errors: InvalidInput. */
export function offsetOf(cursor: string | undefined): number {
  const from = Number(cursor ?? 0)
  if (!Number.isInteger(from) || from < 0) throw new InvalidInput(`the cursor ${cursor} is not one of this list`)
  return from
}
