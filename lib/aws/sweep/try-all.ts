import { concurrently } from '../../app/concurrently.ts'

/** A line of the log is for people. */
const failuresTold = 10

/**
 * Do `work` for every name, at most `limit` at a time, whatever becomes of the others; results in the order of the names.
 *
 * Errors: one that tells what failed, when everything has been tried.
 */
export async function tryAll<Result>(
  limit: number,
  names: readonly string[],
  work: (name: string) => Promise<Result>,
): Promise<readonly Result[]> {
  const errors: Error[] = []
  const results = await concurrently(limit, names, (name) =>
    work(name).catch((error: unknown) => {
      errors.push(new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }))
    }),
  )
  if (errors.length === 0) return results as readonly Result[]
  const told = errors.slice(0, failuresTold).map(({ message }) => message)
  if (errors.length > failuresTold) told.push(`and ${errors.length - failuresTold} more`)
  throw new AggregateError(errors, told.join('; '))
}
