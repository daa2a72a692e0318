import {
  type BraketClient,
  CancelJobCommand,
  CreateJobCommand,
  type CreateJobCommandInput,
  GetJobCommand,
  type JobSummary,
  SearchJobsCommand,
} from '@aws-sdk/client-braket'
import { BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import { jobName as jobNameOf } from '../../domain/job-name.ts'
import { cancelBraket } from '../braket/cancel-braket.ts'
import { createKnownDevices, type Devices } from '../braket/devices.ts'
import { regionOf, throwing } from '../braket/errors.ts'
import { observeHybridJob } from '../braket/observe.ts'
import { pollBraket } from '../braket/poll-braket.ts'
import { searchByTime } from '../braket/search-by-time.ts'
import type { Deadline, Executor, Found, JobQuery, JobSpec, PreparedSubmit, SoughtJob } from '../executor.ts'
import { inGroups } from '../in-groups.ts'
import { type Clock, createPace, type Quota, systemClock } from '../pace.ts'
import { type ContainmentOf, withContainment } from '../with-containment.ts'
import { within } from '../within.ts'
import { braketJobFacts, hyperParameterCharacters, type JobHandle, type JobOptions } from './facts.ts'
import { hybridJobName, parseHybridJobName } from './job-name.ts'

/** Source: Braket developer guide, "Amazon Braket quotas": requests a second, and burst. */
const createQuota: Quota = { perSecond: 1, burst: 5 }
const getQuota: Quota = { perSecond: 5, burst: 25 }
const searchQuota: Quota = { perSecond: 5, burst: 50 }
const cancelQuota: Quota = { perSecond: 2, burst: 5 }
/** Source: the same page: a hybrid job runs five days at most. */
const maxRuntimeSeconds = 5 * 24 * 3600
const defaultRuntimeSeconds = 24 * 3600
/** Source: Braket API model, CreateJob: entries of `hyperParameters`. */
const hyperParameterCount = 100

export interface BraketJobOptions {
  /** The Braket client of a Region, or of the default one for devices without. */
  readonly braketIn: (region: string | undefined) => Pick<BraketClient, 'send'>
  readonly output: { readonly bucket: string; readonly keyPrefix: string }
  /** The role that jobs run as, where a task names none. */
  readonly roleArn: string
  /** Short names besides those of Amazon's simulators. */
  readonly devices?: Devices
  /** What the account's quotas were raised by, 1…2 on AWS; bursts cannot be raised. Default 1. */
  readonly quotaFactor?: number
  readonly clock?: Clock
  /** Only where Braket is a stand-in on this machine; by ARN. */
  readonly containmentOf?: ContainmentOf
}

/**
 * Hybrid jobs on Amazon Braket: a container with a script that makes quantum tasks of its own.
 *
 * Another resource than a quantum task, with calls, states and a cancel of its own: a handle of one kind is refused by
 * the executor of the other. The `QUENCH_…` variables are hyperparameters to the job, in the file that
 * `AMZN_BRAKET_HP_FILE` names: Braket gives a job no environment. `stoppingCondition` is always set.
 * Source: Braket API reference, CreateJob, GetJob, CancelJob, SearchJobs.
 */
export function createBraketJobExecutor(options: BraketJobOptions): Executor {
  const { braketIn, quotaFactor = 1, clock = systemClock } = options
  const devices = createKnownDevices(options.devices)
  const paceOf = ({ perSecond, burst }: Quota) => createPace({ perSecond: perSecond * quotaFactor, burst }, clock)
  const pace = {
    create: paceOf(createQuota),
    get: paceOf(getQuota),
    search: paceOf(searchQuota),
    cancel: paceOf(cancelQuota),
  }

  const read = async (jobArn: string, deadline: Deadline | undefined) => {
    await pace.get.turn(0, deadline?.signal)
    return within(deadline, (how) => braketIn(regionOf(jobArn)).send(new GetJobCommand({ jobArn }), how))
  }

  const prepare = async (job: JobSpec, deadline?: Deadline): Promise<PreparedSubmit> => {
    const deviceArn = devices.arnOf((job.options as JobOptions).device)
    const command = new CreateJobCommand(submission(job, options, deviceArn))
    await pace.create.turn(0, deadline?.signal)
    return async () => {
      const { jobArn } = await within(deadline, (how) => braketIn(regionOf(deviceArn)).send(command, how)).catch(
        throwing('CreateJob'),
      )
      if (!jobArn) throw new BackendUnavailable('CreateJob: no ARN', { arrived: 'unknown' })
      return { kind: 'hybrid-job', arn: jobArn, name: job.name }
    }
  }

  return {
    ...braketJobFacts(devices),

    prepare,
    submit: async (job, deadline) => (await prepare(job, deadline))(),

    /** The documented filters of SearchJobs are jobArn and createdAt: the names are compared here. */
    find: async (jobs, deadline) => {
      const regionOfJob = ({ options }: JobQuery) => regionOf(devices.arnOf((options as JobOptions).device))
      const ask = (region: string | undefined, group: readonly SoughtJob[]) => {
        const search = async (from: Date, to: Date, nextToken: string | undefined) => {
          await pace.search.turn(0, deadline?.signal)
          const input = {
            filters: [
              { name: 'createdAt', operator: 'BETWEEN' as const, values: [from.toISOString(), to.toISOString()] },
            ],
            maxResults: 100,
            ...(nextToken && { nextToken }),
          }
          const page = await within(deadline, (how) => braketIn(region).send(new SearchJobsCommand(input), how)).catch(
            throwing('SearchJobs'),
          )
          return { handles: (page.jobs ?? []).flatMap(handlesOf), nextToken: page.nextToken }
        }
        return searchByTime(group, search, deadline)
      }
      return inGroups({
        items: jobs,
        keyOf: regionOfJob,
        ask,
        failed: ({ message }): Found => ({ outcome: 'unknown', message }),
      })
    },

    poll: (handles, deadline) =>
      pollBraket(handles, {
        deadline,
        source: 'braket-job',
        call: 'GetJob',
        observe: async (arn) =>
          withContainment(observeHybridJob(await read(arn, deadline)), options.containmentOf?.(arn)),
      }),

    cancel: (handles, _request, deadline) =>
      cancelBraket(handles as readonly JobHandle[], {
        deadline,
        call: 'CancelJob',
        stop: async ({ arn }) => {
          await pace.cancel.turn(0, deadline?.signal)
          return within(deadline, (how) => braketIn(regionOf(arn)).send(new CancelJobCommand({ jobArn: arn }), how))
        },
        statusOf: async (arn) => (await read(arn, deadline)).status,
      }),
  }
}

/** The handle of a job that bears a name of ours; none of others' jobs. */
function handlesOf({ jobArn, jobName = '' }: JobSummary) {
  const ref = parseHybridJobName(jobName)
  return ref && jobArn ? [{ kind: 'hybrid-job' as const, arn: jobArn, name: jobNameOf(ref) }] : []
}

/** The CreateJob request of an attempt. */
function submission(job: JobSpec, { output, roleArn }: BraketJobOptions, deviceArn: string): CreateJobCommandInput {
  const { dispatchId, taskId, name, timeoutSeconds } = job
  const options = job.options as JobOptions
  const { sourceUri, entryPoint, compressionType, image, inputData } = options
  const hyperParameters = hyperParametersOf(job)
  return {
    clientToken: name,
    jobName: hybridJobName(job),
    deviceConfig: { device: deviceArn },
    algorithmSpecification: {
      ...(sourceUri && entryPoint && { scriptModeConfig: { s3Uri: sourceUri, entryPoint, compressionType } }),
      ...(image && { containerImage: { uri: image } }),
    },
    instanceConfig: {
      instanceType: options.instanceType,
      instanceCount: options.instanceCount,
      volumeSizeInGb: options.volumeSizeInGb,
    },
    outputDataConfig: { s3Path: `s3://${output.bucket}/${output.keyPrefix}/${name}` },
    roleArn: options.roleArn ?? roleArn,
    stoppingCondition: { maxRuntimeInSeconds: Math.min(timeoutSeconds ?? defaultRuntimeSeconds, maxRuntimeSeconds) },
    hyperParameters,
    ...(inputData && {
      inputDataConfig: inputData.map(({ channelName, uri, contentType }) => ({
        channelName,
        dataSource: { s3DataSource: { s3Uri: uri } },
        ...(contentType && { contentType }),
      })),
    }),
    tags: { 'quench:dispatch': dispatchId, 'quench:task': String(taskId), 'quench:job': name },
  }
}

/** The task's own, and the `QUENCH_…` variables; CreateJob takes no empty value. */
function hyperParametersOf({ options, environment }: JobSpec): Record<string, string> {
  const own = (options as JobOptions).hyperParameters ?? {}
  const entries = Object.entries({ ...own, ...environment }).filter(([, value]) => value !== '')
  const tooLong = entries.find(([, value]) => value.length > hyperParameterCharacters)
  if (tooLong) {
    const [key, { length }] = tooLong
    throw new BackendRejected(`${key} has ${length} characters; a hyperparameter takes ${hyperParameterCharacters}`)
  }
  if (entries.length > hyperParameterCount) {
    throw new BackendRejected(`the job has ${entries.length} hyperparameters; CreateJob takes ${hyperParameterCount}`)
  }
  return Object.fromEntries(entries)
}
