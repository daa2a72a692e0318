import { concurrently } from '../app/concurrently.ts'

/**
 * Do `work` for every name, at most `limit` at a time, whatever becomes of the others; results in the order of the names.
 *
 * Errors: one that tells all that failed, when everything has been tried.
 */
export async function tryAll<Result>(
  limit: number,
  names: readonly string[],
  work: (name: string) => Promise<Result>,
): Promise<readonly Result[]> {
  const errors: unknown[] = []
  const results = await concurrently(limit, names, (name) =>
    work(name).catch((error: unknown) => {
      errors.push(new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }))
    }),
  )
  if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => (error as Error).message).join('; '))
  return results as readonly Result[]
}
