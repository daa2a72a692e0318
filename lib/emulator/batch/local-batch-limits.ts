import {
  ClientException,
  type DescribeJobsCommandInput,
  type ListJobsCommandInput,
  type SubmitJobCommandInput,
  type TerminateJobsCommandInput,
} from '@aws-sdk/client-batch'

/** Names that SubmitJob accepts; `default` is always among them. */
export interface KnownNames {
  readonly jobQueues: ReadonlySet<string>
  readonly jobDefinitions: ReadonlySet<string>
}

/** What Batch throws for a request that is wrong. */
function clientException(message: string): ClientException {
  return new ClientException({ message, $metadata: { httpStatusCode: 400 } })
}

function refuseIf(isWrong: boolean, message: string): void {
  if (isWrong) throw clientException(message)
}

/** Source: API reference, SubmitJob, ArrayProperties and JobTimeout; user guide, "Service quotas" and "Job environment variables". */
export function checkSubmitJob(input: SubmitJobCommandInput, known: KnownNames): void {
  const { jobName = '', jobQueue = '', jobDefinition = '', containerOverrides, timeout, arrayProperties } = input
  refuseIf(
    !/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(jobName),
    'Job name should match valid pattern: first character alphanumeric, then letters, numbers, hyphens and underscores, up to 128',
  )
  refuseIf(!known.jobQueues.has(jobQueue), `JobQueue ${jobQueue} not found`)
  refuseIf(!known.jobDefinitions.has(jobDefinition), `JobDefinition ${jobDefinition} not found`)
  refuseIf(
    !containerOverrides?.command?.length,
    'Container command must not be empty: the local job definition has none',
  )
  const seconds = timeout?.attemptDurationSeconds
  refuseIf(seconds !== undefined && seconds < 60, 'attemptDurationSeconds must be at least 60')
  const { size } = arrayProperties ?? {}
  refuseIf(
    arrayProperties !== undefined && !(size && size >= 2 && size <= 10_000),
    'The array size must be 2 to 10,000',
  )
  const hasReserved = containerOverrides?.environment?.some(({ name }) => name?.startsWith('AWS_BATCH'))
  refuseIf(hasReserved === true, 'Environment variables must not start with AWS_BATCH')
  refuseIf(Object.keys(input.tags ?? {}).length > 50, 'A job has at most 50 tags')
  refuseIf(Buffer.byteLength(JSON.stringify(input)) > 30 * 1024, 'The SubmitJob payload is larger than 30 KiB')
  for (const { type, value } of containerOverrides?.resourceRequirements ?? []) {
    refuseIf(!(Number(value) > 0), `${type} must be a positive number, not ${value}`)
  }
}

/** Source: API reference, DescribeJobs: up to 100 ids. */
export function checkDescribeJobs({ jobs }: DescribeJobsCommandInput): void {
  refuseIf(!jobs?.length, 'Job ids must not be empty')
  refuseIf((jobs?.length ?? 0) > 100, 'DescribeJobs takes up to 100 job ids')
}

/** Source: API reference, TerminateJobs: up to 50 ids, the reason is required and up to 1,024 characters. */
export function checkTerminateJobs({ jobs, reason }: TerminateJobsCommandInput): void {
  refuseIf(!jobs?.length, 'Job ids must not be empty')
  refuseIf((jobs?.length ?? 0) > 50, 'TerminateJobs takes up to 50 job ids')
  refuseIf(!reason, 'A reason must be given')
  refuseIf((reason?.length ?? 0) > 1024, 'The reason is up to 1,024 characters')
}

/** Source: API reference, ListJobs: one filter at a time, 100 results a page with it, 1,000 without. */
export function checkListJobs(
  { jobQueue = '', filters, maxResults = 1 }: ListJobsCommandInput,
  known: KnownNames,
): void {
  refuseIf(!known.jobQueues.has(jobQueue), `JobQueue ${jobQueue} not found`)
  refuseIf((filters?.length ?? 0) > 1, 'Only one filter can be used at a time')
  for (const { name, values } of filters ?? []) {
    refuseIf(name !== 'JOB_NAME', `The local Batch has no filter ${name}`)
    refuseIf(values?.length !== 1, 'A filter takes one value')
  }
  refuseIf(maxResults < 1 || maxResults > (filters?.length ? 100 : 1000), 'maxResults is out of range')
}

/** Of a job, or of a child of an array job. */
export const isJobId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\d{1,4})?$/.test(id)
