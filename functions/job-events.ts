import { composeAws } from '../lib/runtime/aws.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { noteEventBatch } from '../lib/runtime/events/note-event-batch.ts'
import { handle } from '../lib/runtime/handler.ts'

const { context } = composeAws(readConfig('job-events'))

/** Called with batches of the queue that EventBridge fills: what back ends tell by themselves. */
export const handler = handle('job-events', (event: unknown) => noteEventBatch(context, event))
