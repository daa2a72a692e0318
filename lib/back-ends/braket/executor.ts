import {
  type BraketClient,
  CancelQuantumTaskCommand,
  CreateQuantumTaskCommand,
  GetQuantumTaskCommand,
  type QuantumTaskSummary,
  SearchQuantumTasksCommand,
} from '@aws-sdk/client-braket'
import { BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import { parseJobName } from '../../domain/job-name.ts'
import type {
  CancelOutcome,
  Deadline,
  Executor,
  Found,
  JobQuery,
  JobSpec,
  PreparedSubmit,
  SoughtJob,
} from '../executor.ts'
import { inGroups } from '../in-groups.ts'
import { type Clock, createPace, type Quota, systemClock } from '../pace.ts'
import { within } from '../within.ts'
import { cancelBraket } from './cancel-braket.ts'
import { createKnownDevices, type Devices } from './devices.ts'
import { regionOf, throwing } from './errors.ts'
import { braketTaskFacts, cancelQuota, type TaskHandle, type TaskOptions } from './facts.ts'
import { observeQuantumTask } from './observe.ts'
import { pollBraket } from './poll-braket.ts'
import { quantumTaskUsd } from './price.ts'
import { openQasmAction, readProgram } from './program.ts'
import { searchByTime } from './search-by-time.ts'

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
  const { braketIn, output, readText, quotaFactor = 1, clock = systemClock } = options
  const devices = createKnownDevices(options.devices)
  const paceOf = ({ perSecond, burst }: Quota) => createPace({ perSecond: perSecond * quotaFactor, burst }, clock)
  const pace = {
    create: paceOf(createQuota),
    get: paceOf(getQuota),
    search: paceOf(searchQuota),
    cancel: paceOf(cancelQuota),
  }

  const read = async (arn: string, deadline: Deadline | undefined) => {
    await pace.get.turn(0, deadline?.signal)
    const command = new GetQuantumTaskCommand({ quantumTaskArn: arn })
    return within(deadline, (how) => braketIn(regionOf(arn)).send(command, how))
  }

  const prepare = async (job: JobSpec, deadline?: Deadline): Promise<PreparedSubmit> => {
    const { device, shots, inputs, deviceParameters } = job.options as TaskOptions
    const deviceArn = devices.arnOf(device)
    const program = readProgram(job.options, readText)
    const source = await within(deadline, () => program).catch(unread)
    const command = new CreateQuantumTaskCommand({
      clientToken: job.name,
      deviceArn,
      shots,
      outputS3Bucket: output.bucket,
      outputS3KeyPrefix: `${output.keyPrefix}/${job.name}`,
      action: openQasmAction(source, inputs),
      tags: tagsOf(job),
      ...(deviceParameters && { deviceParameters: JSON.stringify(deviceParameters) }),
    })
    await pace.create.turn(0, deadline?.signal)
    return async () => {
      const { quantumTaskArn } = await within(deadline, (how) =>
        braketIn(regionOf(deviceArn)).send(command, how),
      ).catch(throwing('CreateQuantumTask'))
      if (!quantumTaskArn) throw new BackendUnavailable('CreateQuantumTask: no ARN', { arrived: 'unknown' })
      return { kind: 'quantum-task', arn: quantumTaskArn, name: job.name, deviceArn, shots }
    }
  }

  return {
    ...braketTaskFacts(devices),

    prepare,
    submit: async (job, deadline) => (await prepare(job, deadline))(),

    /**
     * CreateQuantumTask would find the task by its token, and make one where there is none: not what `find` is for.
     * SearchQuantumTasks filters by quantumTaskArn, deviceArn, jobArn, status and createdAt, not by tag or token. So:
     * the device's tasks of that time, and of those the ones whose output folder has a name of ours. A tag could be taken
     * off; the folder cannot. Source: API reference, SearchQuantumTasksFilter.
     */
    find: async (jobs, deadline) => {
      const deviceOf = ({ options }: JobQuery) => devices.arnOf((options as TaskOptions).device)
      const ask = (deviceArn: string, group: readonly SoughtJob[]) => {
        const search = async (from: Date, to: Date, nextToken: string | undefined) => {
          await pace.search.turn(0, deadline?.signal)
          const input = {
            filters: [
              { name: 'deviceArn', operator: 'EQUAL' as const, values: [deviceArn] },
              { name: 'createdAt', operator: 'BETWEEN' as const, values: [from.toISOString(), to.toISOString()] },
            ],
            maxResults: 100,
            ...(nextToken && { nextToken }),
          }
          const command = new SearchQuantumTasksCommand(input)
          const page = await within(deadline, (how) => braketIn(regionOf(deviceArn)).send(command, how)).catch(
            throwing('SearchQuantumTasks'),
          )
          return { handles: (page.quantumTasks ?? []).flatMap(handlesOf), nextToken: page.nextToken }
        }
        return searchByTime(group, search, deadline)
      }
      return inGroups({
        items: jobs,
        keyOf: deviceOf,
        ask,
        failed: ({ message }): Found => ({ outcome: 'unknown', message }),
      })
    },

    poll: (handles, deadline) =>
      pollBraket(handles, {
        deadline,
        source: 'braket',
        call: 'GetQuantumTask',
        observe: async (arn) => observeQuantumTask(await read(arn, deadline)),
      }),

    cancel: async (handles, _request, deadline) => {
      const tasks = (handles as readonly TaskHandle[]).map((handle, index) => ({ handle, index }))
      const dearestFirst = tasks.toSorted((a, b) => compare(usdOf(b.handle), usdOf(a.handle)))
      const outcomes = await cancelBraket(
        dearestFirst.map(({ handle }) => handle),
        {
          deadline,
          call: 'CancelQuantumTask',
          stop: async (task) => {
            await pace.cancel.turn(usdOf(task), deadline?.signal)
            // A token of its own each time: a repeated cancel is to be a new attempt, not the answer to the last.
            const command = new CancelQuantumTaskCommand({ quantumTaskArn: task.arn })
            return within(deadline, (how) => braketIn(regionOf(task.arn)).send(command, how))
          },
          statusOf: async (arn) => (await read(arn, deadline)).status,
        },
      )
      const inOrder: CancelOutcome[] = []
      for (const [place, outcome] of outcomes.entries()) inOrder[dearestFirst[place]?.index ?? 0] = outcome
      return inOrder
    },
  }
}

/** Of a program that was not read in time: nothing was made. */
function unread(error: unknown): never {
  if (!(error instanceof DOMException)) throw error
  throw new BackendUnavailable('its program could not be read in time', { arrived: 'no', cause: error })
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

/** The handle of a task whose output folder bears a name of ours; none of others' tasks. */
function handlesOf({ quantumTaskArn = '', deviceArn = '', shots = 0, outputS3Directory = '' }: QuantumTaskSummary) {
  const name = outputS3Directory.split('/').find((folder) => parseJobName(folder))
  return name === undefined ? [] : [{ kind: 'quantum-task' as const, arn: quantumTaskArn, name, deviceArn, shots }]
}
