import {
  type BraketClient,
  CancelQuantumTaskCommand,
  CreateQuantumTaskCommand,
  GetQuantumTaskCommand,
  SearchQuantumTasksCommand,
} from '@aws-sdk/client-braket'
import { BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import type { CancelOutcome, Executor, JobSpec } from '../executor.ts'
import { type Clock, createPace, type Quota, systemClock } from '../pace.ts'
import { cancelBraket } from './cancel-braket.ts'
import { createKnownDevices, type Devices } from './devices.ts'
import { regionOf, throwing } from './errors.ts'
import { braketTaskFacts, cancelQuota, type TaskHandle, type TaskOptions } from './facts.ts'
import { observeQuantumTask } from './observe.ts'
import { pollBraket } from './poll-braket.ts'
import { quantumTaskUsd } from './price.ts'
import { openQasmAction, readProgram } from './program.ts'

/** Source: Braket developer guide, "Amazon Braket quotas": requests a second, and burst. */
const createQuota: Quota = { perSecond: 20, burst: 40 }
const getQuota: Quota = { perSecond: 100, burst: 500 }
const searchQuota: Quota = { perSecond: 5, burst: 50 }
/** Source: AWS tagging rules: characters of a tag's value. */
const tagCharacters = 256

export interface BraketTaskOptions {
  /** The Braket client of a Region, or of the default one for devices without: a device takes tasks where it stands. */
  readonly braketIn: (region: string | undefined) => Pick<BraketClient, 'send'>
  /** Where Braket writes results. */
  readonly output: { readonly bucket: string; readonly keyPrefix: string }
  /** The text behind a URI. Errors: BackendRejected where there is none, BackendUnavailable to try again. */
  readonly readText: (uri: string) => Promise<string>
  /** Short names besides those of Amazon's simulators. */
  readonly devices?: Devices
  /** What the account's quotas were raised by, 1…2 on AWS; bursts cannot be raised. Default 1. */
  readonly quotaFactor?: number
  /** How far back `find` looks. Default 7. */
  readonly findDays?: number
  readonly clock?: Clock
}

/**
 * Quantum tasks on Amazon Braket, one OpenQASM 3 program each.
 *
 * The job's name is the client token, so a repeated submit gets the task that is there. It is also a folder of the
 * output location, `<keyPrefix>/<name>/<task id>/results.json`, which is how events and searches lead back to us.
 * The attempt's QUENCH_RESULT goes along as the tag `quench:result`: results.json is to be copied there.
 * Cancels keep to 2 a second (burst 20), the dearest task first; `mode` and `reason` mean nothing to Braket.
 * What can be cancelled: a queued task, on a best-effort basis; on a QPU that is at it, hardly ever.
 * Source: Braket API reference; developer guide, "Submitting quantum tasks to QPUs" and "Amazon Braket quotas".
 */
export function createBraketTaskExecutor(options: BraketTaskOptions): Executor {
  const { braketIn, output, readText, quotaFactor = 1, findDays = 7, clock = systemClock } = options
  const devices = createKnownDevices(options.devices)
  const paceOf = ({ perSecond, burst }: Quota) => createPace({ perSecond: perSecond * quotaFactor, burst }, clock)
  const pace = {
    create: paceOf(createQuota),
    get: paceOf(getQuota),
    search: paceOf(searchQuota),
    cancel: paceOf(cancelQuota),
  }

  const read = async (arn: string) => {
    await pace.get.turn()
    return braketIn(regionOf(arn)).send(new GetQuantumTaskCommand({ quantumTaskArn: arn }))
  }

  return {
    ...braketTaskFacts(devices),

    submit: async (job) => {
      const { device, shots, inputs, deviceParameters } = job.options as TaskOptions
      const deviceArn = devices.arnOf(device)
      const action = openQasmAction(await readProgram(job.options, readText), inputs)
      const tags = tagsOf(job)
      await pace.create.turn()
      const { quantumTaskArn } = await braketIn(regionOf(deviceArn))
        .send(
          new CreateQuantumTaskCommand({
            clientToken: job.name,
            deviceArn,
            shots,
            outputS3Bucket: output.bucket,
            outputS3KeyPrefix: `${output.keyPrefix}/${job.name}`,
            action,
            tags,
            ...(deviceParameters && { deviceParameters: JSON.stringify(deviceParameters) }),
          }),
        )
        .catch(throwing('CreateQuantumTask'))
      if (!quantumTaskArn) throw new BackendUnavailable('CreateQuantumTask: no ARN', { arrived: 'unknown' })
      return { kind: 'quantum-task', arn: quantumTaskArn, name: job.name, deviceArn, shots }
    },

    /**
     * CreateQuantumTask would find the task by its token, and make one where there is none: not what `find` is for.
     * SearchQuantumTasks filters by quantumTaskArn, deviceArn, jobArn, status and createdAt, not by tag or token. So:
     * the device's tasks of the last days, and of those the one whose output folder has the name. A tag could be taken
     * off; the folder cannot. Source: API reference, SearchQuantumTasksFilter.
     */
    find: async ({ name, options }) => {
      const deviceArn = devices.arnOf((options as TaskOptions).device)
      const since = new Date(Date.now() - findDays * 24 * 3600 * 1000).toISOString()
      let nextToken: string | undefined
      do {
        await pace.search.turn()
        const page = await braketIn(regionOf(deviceArn))
          .send(
            new SearchQuantumTasksCommand({
              filters: [
                { name: 'deviceArn', operator: 'EQUAL', values: [deviceArn] },
                { name: 'createdAt', operator: 'GTE', values: [since] },
              ],
              maxResults: 100,
              ...(nextToken && { nextToken }),
            }),
          )
          .catch(throwing('SearchQuantumTasks'))
        const found = page.quantumTasks?.find(({ outputS3Directory }) => outputS3Directory?.split('/').includes(name))
        if (found) return handleOf(name, found)
        nextToken = page.nextToken
      } while (nextToken)
      return undefined
    },

    poll: (handles) =>
      pollBraket(handles, {
        source: 'braket',
        call: 'GetQuantumTask',
        observe: async (arn) => observeQuantumTask(await read(arn)),
      }),

    cancel: async (handles, _request) => {
      const tasks = (handles as readonly TaskHandle[]).map((handle, index) => ({ handle, index }))
      const dearestFirst = tasks.toSorted((a, b) => compare(usdOf(b.handle), usdOf(a.handle)))
      const outcomes = await cancelBraket(
        dearestFirst.map(({ handle }) => handle),
        {
          call: 'CancelQuantumTask',
          stop: async (task) => {
            await pace.cancel.turn(usdOf(task))
            // A token of its own each time: a repeated cancel is to be a new attempt, not the answer to the last.
            return braketIn(regionOf(task.arn)).send(new CancelQuantumTaskCommand({ quantumTaskArn: task.arn }))
          },
          statusOf: async (arn) => (await read(arn)).status,
        },
      )
      const inOrder: CancelOutcome[] = []
      for (const [place, outcome] of outcomes.entries()) inOrder[dearestFirst[place]?.index ?? 0] = outcome
      return inOrder
    },
  }
}

/** What is lost if it runs; a price that we do not know may be any. */
function usdOf({ deviceArn, shots }: TaskHandle): number {
  return quantumTaskUsd(deviceArn, shots) ?? Number.POSITIVE_INFINITY
}

/** Infinity minus infinity is no order. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)

function tagsOf({ name, dispatchId, taskId, options, environment }: JobSpec): Record<string, string> {
  const { seed } = options as TaskOptions
  const resultUri = environment.QUENCH_RESULT
  if (resultUri && resultUri.length > tagCharacters) {
    throw new BackendRejected(`the result's URI has ${resultUri.length} characters; a tag takes ${tagCharacters}`)
  }
  return {
    'quench:dispatch': dispatchId,
    'quench:task': String(taskId),
    'quench:job': name,
    ...(resultUri && { 'quench:result': resultUri }),
    ...(seed !== undefined && { 'quench:seed': String(seed) }),
  }
}

function handleOf(
  name: string,
  task: { quantumTaskArn: string | undefined; deviceArn: string | undefined; shots: number | undefined },
): TaskHandle {
  const { quantumTaskArn = '', deviceArn = '', shots = 0 } = task
  return { kind: 'quantum-task', arn: quantumTaskArn, name, deviceArn, shots }
}
