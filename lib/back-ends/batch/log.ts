import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  type GetLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs'
import { backendError } from '../aws-errors.ts'
import { logPart } from '../log-part.ts'
import type { LogStream, ReadLogStream } from './log-stream.ts'

/** Where a page of a stream begins: its token, and the bytes of all pages before. */
interface Page {
  readonly token: string
  readonly beginsAt: number
}

/** How many streams' last pages are remembered. */
const maxPages = 100

/**
 * A reader of log streams by byte offset; every event counts as a line.
 *
 * CloudWatch Logs knows pages and tokens, no offsets: who asks for the first time reads the stream from its head, a page
 * of 1 MB after the other. Where the last one began is remembered, so that following a log costs one or two calls each time.
 * Source: API reference, GetLogEvents: 10,000 events or 1 MB a page; the end is where the token comes back.
 */
export function createLogReader(logs: Pick<CloudWatchLogsClient, 'send'>): ReadLogStream {
  const lastPages = new Map<string, Page>()

  const readPage = (stream: LogStream, token: string | undefined): Promise<GetLogEventsCommandOutput | undefined> =>
    logs
      .send(
        new GetLogEventsCommand({ ...stream, startFromHead: true, ...(token !== undefined && { nextToken: token }) }),
      )
      .catch((error: Error) => {
        // A stream is made with its first event.
        if (error.name === 'ResourceNotFoundException') return undefined
        throw backendError('GetLogEvents', error)
      })

  const remember = ({ logGroupName, logStreamName }: LogStream, page: Page) => {
    const key = `${logGroupName} ${logStreamName}`
    lastPages.delete(key)
    lastPages.set(key, page)
    if (lastPages.size > maxPages) lastPages.delete(lastPages.keys().next().value ?? '')
  }

  return async (stream, offset) => {
    const known = lastPages.get(`${stream.logGroupName} ${stream.logStreamName}`)
    let page: Partial<Page> = known && known.beginsAt <= offset ? known : {}
    for (;;) {
      const { token, beginsAt = 0 } = page
      const { events = [], nextForwardToken } = (await readPage(stream, token)) ?? {}
      const bytes = Buffer.from(events.map(({ message = '' }) => `${message}\n`).join(''))
      if (beginsAt + bytes.length > offset) return logPart(bytes.subarray(offset - beginsAt), offset)
      if (nextForwardToken === undefined || nextForwardToken === token) return { text: '', nextOffset: offset }
      page = { token: nextForwardToken, beginsAt: beginsAt + bytes.length }
      remember(stream, page as Page)
    }
  }
}
