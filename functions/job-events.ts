import { composeAws } from '../lib/aws/compose.ts'
import { readConfig } from '../lib/aws/config.ts'
import { handle } from '../lib/aws/handler.ts'
import { noteEventBatch } from '../lib/aws/note-event-batch.ts'

const { context } = composeAws(readConfig('job-events'))

/** Called with batches of the queue that EventBridge fills: what back ends tell by themselves. */
export const handler = handle('job-events', (event: unknown) => noteEventBatch(context, event))
