import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBatchExecutor } from '../../../lib/back-ends/batch/executor.ts'
import { createLogReader } from '../../../lib/back-ends/batch/log.ts'
import type { Handle } from '../../../lib/back-ends/executor.ts'
import { BackendRejected } from '../../../lib/domain/errors.ts'
import { jobName } from '../../../lib/domain/job-name.ts'
import { createLocalBatch } from '../../../lib/emulator/batch/local-batch.ts'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { createLocalLogs } from '../../../lib/emulator/logs/local-logs.ts'
import { aJobSpec } from '../../contracts/executor-contract.ts'
import { eventually } from '../../support/scratch-host.ts'

const directory = mkdtempSync(join(tmpdir(), 'quench-batch-logs-'))
const faults = createFaults()
const batch = createLocalBatch({ directory, vcpus: 4, stopTimeoutSeconds: 1, faults })
const executor = createBatchExecutor({
  batch,
  submitter: batch,
  readLogStream: createLogReader(createLocalLogs({ directory, batch, faults })),
})

beforeAll(() => batch.start())
afterAll(async () => {
  await batch.close({ detachJobs: false })
  rmSync(directory, { recursive: true })
})

const optionsOf = (command: string, vcpus = 1) =>
  executor.optionsSchema.parse({ command: ['sh', '-c', command], vcpus })
const aJob = (command: string, vcpus?: number) => aJobSpec({ options: optionsOf(command, vcpus) })

/** Two tasks of one dispatch. */
const aPack = (command: string) => {
  const dispatchId = randomUUID()
  return [3, 4].map((taskId) => {
    const name = jobName({ dispatchId, taskId, attempt: 1 })
    return aJobSpec({ options: optionsOf(command), dispatchId, taskId, name, environment: { QUENCH_JOB: name } })
  })
}

const read = (handle: Handle | undefined, offset = 0, stream: 'stdout' | 'stderr' = 'stdout') =>
  executor.readLog?.(handle ?? {}, { stream, offset })

const hasEnded = async (handle: Handle | undefined) => (await executor.poll([handle ?? {}]))[0]?.state === 'succeeded'

test('a job has one log of both streams, in the order of writing, as with awslogs', async () => {
  const handle = await executor.submit(aJob('echo one; echo two >&2; printf "thr€e"'))
  await eventually(() => hasEnded(handle))
  expect(await read(handle)).toEqual({ text: 'one\ntwo\nthr€e\n', nextOffset: 16 })
  expect(await read(handle, 8)).toEqual({ text: 'thr€e\n', nextOffset: 16 })
  expect(await read(handle, 16)).toEqual({ text: '', nextOffset: 16 })
  expect(await read(handle, 0, 'stderr')).toEqual({ text: '', nextOffset: 0 })
})

test('each member of a pack has a log of its own', async () => {
  const jobs = aPack('echo "member $QUENCH_TASK_INDEX"')
  const handles = (await executor.packing?.submit(jobs, jobs[0]?.name ?? '')) ?? []
  for (const handle of handles) await eventually(() => hasEnded(handle))
  expect((await Promise.all(handles.map((handle) => read(handle)))).map((part) => part?.text)).toEqual([
    'member 0\n',
    'member 1\n',
  ])
})

test('a job that waits has an empty log, and one that Batch has forgotten has none', async () => {
  const waiting = await executor.submit(aJob('echo one', 100))
  expect(await read(waiting)).toEqual({ text: '', nextOffset: 0 })
  const forgotten = { jobId: randomUUID(), jobQueue: 'default', name: 'quench-x' }
  await expect(read(forgotten)).rejects.toBeInstanceOf(BackendRejected)
})
