import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BatchClient, DescribeJobsCommand } from '@aws-sdk/client-batch'
import {
  type CloudWatchLogsClient,
  CloudWatchLogsServiceException,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs'
import type { Faults } from '../faults.ts'

interface LocalLogsOptions {
  /** That of the local Batch. */
  readonly directory: string
  /** The local Batch: it knows whether a job may still write. */
  readonly batch: Pick<BatchClient, 'send'>
  readonly faults: Faults
}

/** Source: API reference, GetLogEvents. */
const maxEvents = 10_000
const maxPageBytes = 1024 * 1024

/**
 * CloudWatch Logs of the emulator: GetLogEvents over the files that the local Batch's jobs write.
 *
 * A line is an event, as the awslogs driver has it; a last line without an end is one when the job has ended. Tokens
 * are places in the file. Errors: as the service's, by name: ResourceNotFoundException, InvalidParameterException.
 */
export function createLocalLogs({ directory, batch, faults }: LocalLogsOptions): Pick<CloudWatchLogsClient, 'send'> {
  const hasEnded = async (jobId: string) => {
    const { jobs: [job] = [] } = await batch.send(new DescribeJobsCommand({ jobs: [jobId] }))
    return job === undefined || job.status === 'SUCCEEDED' || job.status === 'FAILED'
  }

  const getLogEvents = async (input: GetLogEventsCommandInput) => {
    const { logGroupName, logStreamName = '', nextToken, startFromHead, limit = maxEvents } = input
    if (logGroupName !== '/aws/batch/job') throw logsError('ResourceNotFoundException', 'The log group does not exist.')
    if (!startFromHead) throw logsError('InvalidParameterException', 'The emulator reads logs from their head only.')
    const [, place = '0'] = /^f\/(\d+)$/.exec(nextToken ?? 'f/0') ?? []
    const jobId = logStreamName.slice(logStreamName.lastIndexOf('/') + 1)
    // Asked before the file is read: what comes later is not the last line.
    const isWhole = await hasEnded(jobId)
    const file = join(directory, 'logs', jobId)
    const bytes = await readPage(file, Number(place)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw logsError('ResourceNotFoundException', 'The log stream does not exist.')
      throw error
    })
    const { lines, sizeBytes } = linesOf(bytes, isWhole, limit)
    const timestamp = (await stat(file)).mtimeMs
    return {
      events: lines.map((message) => ({ timestamp, ingestionTime: timestamp, message })),
      nextForwardToken: `f/${Number(place) + sizeBytes}`,
      nextBackwardToken: `b/${place}`,
      $metadata: {},
    }
  }

  const send = (command: unknown) => {
    if (command instanceof GetLogEventsCommand) return faults.around('GetLogEvents', () => getLogEvents(command.input))
    return Promise.reject(new TypeError('the emulator has no such CloudWatch Logs command'))
  }
  return { send: send as CloudWatchLogsClient['send'] }
}

async function readPage(file: string, position: number): Promise<Buffer> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxPageBytes), { position })
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** The lines of a page, and how many bytes they took. A line longer than a page is cut. */
function linesOf(bytes: Buffer, isWhole: boolean, limit: number): { lines: string[]; sizeBytes: number } {
  const lines: string[] = []
  let from = 0
  while (from < bytes.length && lines.length < limit) {
    const end = bytes.indexOf('\n', from)
    const isLine = end >= 0 || (bytes.length < maxPageBytes ? isWhole : lines.length === 0)
    if (!isLine) break
    lines.push(bytes.toString('utf8', from, end < 0 ? bytes.length : end))
    from = end < 0 ? bytes.length : end + 1
  }
  return { lines, sizeBytes: from }
}

const logsError = (name: string, message: string) =>
  new CloudWatchLogsServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode: 400 } })
