import {
  type CreateJobCommandInput,
  type CreateQuantumTaskCommandInput,
  type SearchJobsFilter,
  type SearchQuantumTasksFilter,
  ValidationException,
} from '@aws-sdk/client-braket'
import { z } from 'zod'

/** What Braket throws for a request that is wrong. */
function refuseIf(isWrong: boolean, message: string): void {
  if (isWrong) throw new ValidationException({ message, $metadata: { httpStatusCode: 400 } })
}

const deviceArn = /^arn:aws[a-z-]*:braket:[a-z0-9-]*:\d*:device\/.+$/
const lengthIn = (text: string | undefined, min: number, max: number) =>
  text !== undefined && text.length >= min && text.length <= max

const openQasm = z.object({
  braketSchemaHeader: z.object({ name: z.literal('braket.ir.openqasm.program'), version: z.literal('1') }),
  source: z.string(),
  inputs: z.record(z.string(), z.number()).nullish(),
})

export type OpenQasmAction = z.infer<typeof openQasm>

/** The program in a request's `action`; undefined where it is none that runs here. */
export function readAction(action: string | undefined): OpenQasmAction | undefined {
  try {
    return openQasm.safeParse(JSON.parse(action ?? '')).data
  } catch {
    return undefined
  }
}

/** Source: developer guide, "Amazon Braket simulators": SV1 and DM1 take 100,000 shots, TN1 takes 1,000. */
function maxShots(device: string): number {
  return device.endsWith('/amazon/tn1') ? 1000 : 100_000
}

/** Source: API reference, CreateQuantumTask: the lengths; AWS tagging rules. */
export function checkCreateQuantumTask(input: CreateQuantumTaskCommandInput): void {
  const { clientToken, deviceArn: device = '', shots = -1, outputS3Bucket, outputS3KeyPrefix, tags = {} } = input
  refuseIf(!lengthIn(clientToken, 1, 64), 'clientToken must have 1 to 64 characters')
  refuseIf(!deviceArn.test(device) || device.length > 256, `deviceArn ${device} is not the ARN of a device`)
  refuseIf(!Number.isInteger(shots) || shots < 1, 'shots must be a whole number of at least 1 on a local device')
  refuseIf(shots > maxShots(device), `${device} takes up to ${maxShots(device)} shots, not ${shots}`)
  refuseIf(!lengthIn(outputS3Bucket, 3, 63), 'outputS3Bucket must have 3 to 63 characters')
  refuseIf(!lengthIn(outputS3KeyPrefix, 1, 1024), 'outputS3KeyPrefix must have 1 to 1,024 characters')
  refuseIf(!staysInside(outputS3KeyPrefix ?? ''), 'outputS3KeyPrefix must not leave its bucket')
  refuseIf(!readAction(input.action), 'action must be JSON with a braket.ir.openqasm.program of version 1')
  refuseIf(
    input.deviceParameters !== undefined && !lengthIn(String(input.deviceParameters), 1, 48_000),
    'deviceParameters must have 1 to 48,000 characters',
  )
  checkTags(tags)
}

/** Source: API reference and model, CreateJob; developer guide, "Amazon Braket quotas" (five days). */
export function checkCreateJob(input: CreateJobCommandInput): void {
  const { clientToken, jobName = '', deviceConfig, algorithmSpecification, outputDataConfig, tags = {} } = input
  refuseIf(!lengthIn(clientToken, 1, 64), 'clientToken must have 1 to 64 characters')
  refuseIf(
    jobName.length > 50 || !/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,50}$/.test(jobName),
    'jobName must match ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,50}$ and have up to 50 characters',
  )
  const device = deviceConfig?.device ?? ''
  refuseIf(!deviceArn.test(device) && !device.startsWith('local:'), `device ${device} is not the ARN of a device`)
  refuseIf(!algorithmSpecification?.scriptModeConfig, 'the local Braket runs scripts only: scriptModeConfig is missing')
  refuseIf(
    algorithmSpecification?.scriptModeConfig?.compressionType === 'GZIP',
    'the local Braket unpacks nothing: compressionType must be NONE',
  )
  refuseIf(!/^s3:\/\/[^/]{3,63}\/.+/.test(outputDataConfig?.s3Path ?? ''), 'outputDataConfig.s3Path is not an S3 URI')
  refuseIf(!staysInside(outputDataConfig?.s3Path ?? ''), 'outputDataConfig.s3Path must not leave its bucket')
  refuseIf(!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(input.roleArn ?? ''), 'roleArn is not the ARN of a role')
  const seconds = input.stoppingCondition?.maxRuntimeInSeconds
  refuseIf(seconds !== undefined && (seconds < 1 || seconds > 432_000), 'maxRuntimeInSeconds must be 1 to 432,000')
  const parameters = Object.entries(input.hyperParameters ?? {})
  refuseIf(parameters.length > 100, 'a hybrid job takes up to 100 hyperparameters')
  for (const [key, value] of parameters) {
    refuseIf(!lengthIn(key, 1, 256), `the name of hyperparameter ${key} must have 1 to 256 characters`)
    refuseIf(!lengthIn(value, 1, 2500), `hyperparameter ${key} must have 1 to 2,500 characters`)
  }
  checkTags(tags)
}

/** Source: API reference, SearchQuantumTasks and SearchJobs: up to 10 filters, 100 results a page. */
export function checkSearch(
  filters: readonly (SearchQuantumTasksFilter | SearchJobsFilter)[] | undefined,
  maxResults: number,
  names: readonly string[],
): void {
  refuseIf((filters?.length ?? 0) > 10, 'A search takes up to 10 filters')
  refuseIf(maxResults < 1 || maxResults > 100, 'maxResults must be 1 to 100')
  for (const { name = '', values } of filters ?? []) {
    refuseIf(!names.includes(name), `there is no filter ${name}; there are ${names.join(', ')}`)
    refuseIf(!values?.length || values.length > 10, `filter ${name} takes 1 to 10 values`)
  }
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  refuseIf(Object.keys(tags).length > 50, 'a resource has up to 50 tags')
  for (const [key, value] of Object.entries(tags)) {
    refuseIf(!lengthIn(key, 1, 128) || value.length > 256, `tag ${key} is too long: 128 and 256 characters`)
  }
}

/** Here a bucket is a folder. */
const staysInside = (key: string): boolean => !key.split('/').includes('..')
