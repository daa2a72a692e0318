import type { QuenchClient } from '../../client/client.ts'
import { QuenchApiError } from '../../client/errors.ts'
import type { LogView } from '../../schema/api.ts'
import { pace } from './pace.ts'

type Stream = 'stdout' | 'stderr'

interface LogPiece extends LogView {
  readonly stream: Stream
}

interface FollowOptions {
  readonly streams: readonly Stream[]
  /** Until the task has ended; otherwise what there is now. */
  readonly follow: boolean
}

/** How far a stream has been read. */
interface Reader {
  readonly stream: Stream
  attempt?: number
  offset: number
  hasEnded: boolean
}

/**
 * The log of a task, piece by piece, none of them empty. Another attempt begins again from its own beginning.
 *
 * Errors: as the API's; with `follow`, a task that has no job yet is waited for.
 */
export async function* followLog(
  client: QuenchClient,
  { dispatchId, taskId }: { dispatchId: string; taskId: number },
  { streams, follow }: FollowOptions,
): AsyncIterable<LogPiece> {
  const readers = streams.map((stream): Reader => ({ stream, offset: 0, hasEnded: false }))
  for (let polls = 0; ; polls += 1) {
    for (const reader of readers) {
      try {
        yield* readOn(client, dispatchId, taskId, reader)
      } catch (error) {
        const hasNoJobYet = error instanceof QuenchApiError && error.code === 'Conflict'
        if (!follow || !hasNoJobYet) throw error
      }
    }
    if (!follow || readers.every(({ hasEnded }) => hasEnded)) return
    await pace(polls)
  }
}

/** What has come since the last look. */
async function* readOn(
  client: QuenchClient,
  dispatchId: string,
  taskId: number,
  reader: Reader,
): AsyncIterable<LogPiece> {
  for (;;) {
    const { stream, offset, attempt } = reader
    const part = await client.log(dispatchId, taskId, { stream, offset })
    reader.attempt = part.attempt
    if (attempt !== undefined && attempt !== part.attempt && offset > 0) {
      reader.offset = 0
      continue
    }
    if (part.text !== '') yield { stream, ...part }
    reader.offset = part.nextOffset
    reader.hasEnded = part.hasEnded
    if (part.text === '') return
  }
}
