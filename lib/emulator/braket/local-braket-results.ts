import { cp, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Translation } from '../simulator/braket-dialect.ts'
import { resultValues } from '../simulator/braket-results.ts'
import type { OpenQasmAction } from './local-braket-limits.ts'
import { type LocalTask, outputDirectory, taskArn } from './local-braket-records.ts'

/** The folder that stands for a bucket. */
export const bucketFolder = (directory: string, bucket: string): string => join(directory, 's3', bucket)

/**
 * A task's results, as Braket writes them.
 *
 * With result pragmas `resultTypes` has their values; `measurements` are there anyway, in the pragmas' bases.
 * Source: amazon-braket-schemas, braket.task_result.gate_model_task_result version 1.
 */
export function taskResult(
  task: LocalTask,
  action: OpenQasmAction,
  { measuredQubits, results }: Translation,
  bits: Uint8Array,
): object {
  const columns = measuredQubits.length
  const measurements = Array.from({ length: bits.length / columns }, (_, shot) =>
    Array.from(bits.subarray(shot * columns, (shot + 1) * columns)),
  )
  const counts = new Map<string, number>()
  for (const shot of measurements) counts.set(shot.join(''), (counts.get(shot.join('')) ?? 0) + 1)
  return {
    braketSchemaHeader: { name: 'braket.task_result.gate_model_task_result', version: '1' },
    measurements,
    measurementProbabilities: Object.fromEntries(
      Array.from(counts, ([outcome, count]) => [outcome, count / measurements.length]),
    ),
    ...(results.length > 0 && { resultTypes: resultValues(results, measurements, measuredQubits) }),
    measuredQubits,
    taskMetadata: {
      braketSchemaHeader: { name: 'braket.task_result.task_metadata', version: '1' },
      id: taskArn(task),
      shots: task.input.shots,
      deviceId: task.input.deviceArn,
      createdAt: new Date(task.createdAt).toISOString(),
      status: 'COMPLETED',
    },
    additionalMetadata: { action },
  }
}

/**
 * Write results.json to the task's output folder and, where the tag `quench:result` names a file, there as well: so
 * that the tasks which need it find it at QUENCH_RESULT.
 */
export async function writeTaskResult(directory: string, task: LocalTask, result: object): Promise<void> {
  const folder = join(bucketFolder(directory, task.input.outputS3Bucket ?? ''), outputDirectory(task))
  const text = JSON.stringify(result)
  await mkdir(folder, { recursive: true })
  await writeInOneStep(join(folder, 'results.json'), text)
  const file = fileOf(task.input.tags?.['quench:result'])
  if (file) await writeInOneStep(file, text)
}

/** Copy what a hybrid job has left in its results folder to its output location, and its results.json to QUENCH_RESULT. */
export async function copyJobResults(
  directory: string,
  job: { readonly results: string; readonly s3Path: string; readonly resultUri: string | undefined },
): Promise<void> {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(job.s3Path) ?? []
  await cp(job.results, join(bucketFolder(directory, bucket), key, 'output'), { recursive: true })
  const file = fileOf(job.resultUri)
  if (!file) return
  // What the job has written there itself stays.
  await cp(join(job.results, 'results.json'), file, { force: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function writeInOneStep(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

const fileOf = (uri: string | undefined): string | undefined =>
  uri?.startsWith('file:') ? fileURLToPath(uri) : undefined
