import type { ResultFiles } from '../app/result-files.ts'
import { BackendRejected } from '../domain/errors.ts'
import { graphLimits } from '../domain/graph/graph.ts'

/**
 * A reader of graphs and programs that a task has made.
 *
 * Errors: BackendRejected where there is no such text, or one that is larger than a request may be; BackendUnavailable
 * to try again.
 */
export function createTextReader({ readResult }: ResultFiles): (uri: string) => Promise<string> {
  return async (uri) => {
    const bytes = await readResult(uri, graphLimits.requestBytes)
    if (!bytes) throw new BackendRejected(`there is no text to read at ${uri}`)
    return Buffer.from(bytes).toString()
  }
}
