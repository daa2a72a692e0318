import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { fargateRates } from '../lib/back-ends/batch/fargate-price.ts'
import { devicePrice } from '../lib/back-ends/braket/price.ts'
import type { Prices } from '../lib/back-ends/prices.ts'
import { pricesSchema } from '../lib/schema/prices.ts'
import { problemsOf } from '../lib/schema/problems.ts'
import { configuredSelector } from '../lib/schema/selector.ts'
import { trigger } from '../lib/schema/trigger.ts'
import { noticeNames } from './notices.ts'

const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens')
const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be the name of a Region')
const days = z.int().min(1)
const machineId = z.string().regex(/^(i|mi)-[0-9a-f]{17}$/, 'must be the id of an EC2 or a managed instance')
const deviceArn = z.string().regex(/^arn:aws[a-z-]*:braket:[a-z0-9-]*:\d*:device\/.+$/, 'must be the ARN of a device')
const roleArn = z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, 'must be the ARN of a role')

const topicArn = z.string().regex(/^arn:[^:]+:sns:[^:]+:\d{12}:[^:]+$/, 'must be the ARN of a topic')

const batch = z.strictObject({
  /** Queues that tasks may name: names in this account and Region. */
  jobQueues: z.array(z.string().regex(/^[A-Za-z0-9][\w-]{0,127}$/)).default([]),
  /** Job definitions that tasks may name, every revision of them. */
  jobDefinitions: z.array(z.string().regex(/^[A-Za-z0-9][\w-]{0,127}$/)).default([]),
  /** Where jobs log to, for showing it. Source: Batch user guide, "Use the awslogs log driver": the default. */
  logGroups: z.array(z.string()).default(['/aws/batch/job']),
  /** Make a queue and a definition on Fargate, both of this name. */
  fargate: z
    .strictObject({
      name: z.string().default('default'),
      image: z.string().default('public.ecr.aws/docker/library/node:24-slim'),
      maxVcpus: z.int().min(1).default(16),
      vcpus: z.number().positive().default(1),
      memoryMiB: z.int().min(512).default(2048),
      /** An existing network instead of one of its own; the subnets need a way to the image's registry. */
      network: z
        .strictObject({
          vpcId: z.string(),
          subnetIds: z.array(z.string()).min(1),
          securityGroupIds: z.array(z.string()).min(1),
        })
        .exactOptional(),
    })
    .exactOptional(),
})

const braket = z.strictObject({
  /** Short name → ARN. Tasks may use these devices and no others. */
  devices: z.record(name, deviceArn).default({}),
  /** The role of hybrid jobs. Without it there are none. */
  jobRoleArn: roleArn.exactOptional(),
})

/** A budget of AWS Budgets for the whole account, which cancels what `where` means when it is used up. */
const budget = z.strictObject({
  /** Source: AWS Billing API reference, Budget: at most 100 characters, without : and \\. */
  name: z.string().regex(/^[^:\\]{1,100}$/, 'must be 1 to 100 characters, none of them : or \\'),
  limitUsd: z.number().positive(),
  timeUnit: z.enum(['DAILY', 'MONTHLY', 'QUARTERLY', 'ANNUALLY']).default('MONTHLY'),
  /** How much of the limit must really have been spent. */
  atPercent: z.number().positive().default(100),
  where: configuredSelector,
})

/** An alarm on what Quench itself counts, minutes after it was spent. */
const spendAlarm = z.strictObject({
  usdPerHour: z.number().positive(),
  where: configuredSelector,
})

/** Source: Lambda developer guide, "Lambda quotas": 4 KB for all variables of a function; some are left for the others. */
const maxVariableBytes = 3500

/** Room for the ARN of the topic that the stack makes for its budgets; each of them is a trigger that names it. */
const topicArnBytes = 120

/**
 * Half of it is for bulk cancellations, whose queue takes two at least and must not take more than there are.
 * Source: Lambda API reference, ScalingConfig; Lambda developer guide, "Configuring scaling behavior for SQS event source
 * mappings".
 */
const leastForCancels = 4

const configSchema = z
  .strictObject({
    /** Name of the stack, and the beginning of the names of what is in it. */
    name: name.max(20).default('quench'),
    account: z
      .string()
      .regex(/^\d{12}$/)
      .exactOptional(),
    region: region.exactOptional(),
    batch: batch.prefault({}),
    braket: braket.exactOptional(),
    /** Linux hosts for `ssh` tasks. */
    hosts: z.record(name, z.strictObject({ instanceId: machineId })).default({}),
    /** Slurm clusters: the machine on which sbatch works, and the user that submits there (default: the agent's, root). */
    clusters: z.record(name, z.strictObject({ instanceId: machineId, user: z.string().exactOptional() })).default({}),
    /** Who may see and cancel everything: ARNs of IAM users or roles, JWT subjects, and groups of the JWT. */
    admins: z
      .strictObject({ principals: z.array(z.string()).default([]), groups: z.array(z.string()).default([]) })
      .prefault({}),
    /** Take bearer tokens of this issuer instead of IAM signatures. */
    jwt: z
      .strictObject({
        issuer: z.url({ protocol: /^https$/ }),
        audience: z.array(z.string()).min(1),
        groupsClaim: z.string().default('groups'),
      })
      .exactOptional(),
    triggers: z.array(trigger).default([]),
    /** What jobs cost, where the tables do not know it or it is something else for this account. */
    pricing: pricesSchema.prefault({}),
    budgets: z.array(budget).default([]),
    spendAlarm: spendAlarm.exactOptional(),
    /** Requests a second, and burst, for all callers together. */
    throttle: z
      .strictObject({ perSecond: z.int().min(1).default(50), burst: z.int().min(1).default(100) })
      .prefault({}),
    /**
     * Lambda concurrency set aside. For `act` it is a ceiling that keeps many dispatches together within SubmitJob's 50 a
     * second; for `cancel` a guarantee that no storm of other work keeps a cancel waiting. `false` where the account has
     * none to set aside (new ones have 10 in all).
     */
    reservedConcurrency: z
      .union([
        z.literal(false),
        z.strictObject({ act: z.int().min(1).default(20), cancel: z.int().min(leastForCancels).default(20) }),
      ])
      .prefault({}),
    retention: z
      .strictObject({
        /** Results in S3. */
        resultsDays: days.default(90),
        /** Of functions, jobs on Fargate and access. */
        logDays: z.literal([1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731]).default(30),
      })
      .prefault({}),
    /** `false`: deleting the stack deletes table and bucket. Set it, deploy, then destroy. */
    protectData: z.boolean().default(true),
    /** Told of every alarm. */
    alarmEmails: z.array(z.email()).default([]),
    /** Told in a sentence of what happens to dispatches. */
    notify: z
      .strictObject({
        emails: z.array(z.email()).default([]),
        /** A topic that is there, in the place of one of the stack's own; it must let EventBridge publish. */
        topicArn: topicArn.exactOptional(),
        on: z.array(z.enum(noticeNames)).min(1).default(['dispatch-failed', 'cancellation-unconfirmed']),
      })
      .exactOptional(),
    /** On everything, besides `quench:stack`. */
    tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
  })
  .superRefine((config, context) => {
    const { braket, region } = config
    const { admins, triggers, budgets, spendAlarm } = config
    const told = budgets.map(({ name, where }) => ({
      kind: 'budget',
      name,
      topicArn: 'x'.repeat(topicArnBytes),
      where,
    }))
    const variables = [backendsOf(config), admins, triggers, told, spendAlarm, pricesOf(config)]
    const sizeBytes = Buffer.byteLength(JSON.stringify(variables))
    if (sizeBytes > maxVariableBytes) {
      const what = 'hosts, clusters, queues, devices, admins, triggers, budgets and pricing'
      const message = `${what} are ${sizeBytes} bytes; ${maxVariableBytes} fit`
      context.addIssue({ code: 'custom', message })
    }
    for (const [field, names] of Object.entries({
      triggers: triggers.map(({ kind, name, alarmTags, topicArn }) =>
        JSON.stringify([kind, name, alarmTags, topicArn]),
      ),
      budgets: budgets.map((one) => one.name),
    }))
      for (const [index, name] of names.entries())
        if (names.indexOf(name) < index)
          context.addIssue({
            code: 'custom',
            path: [field, index],
            message: 'there is one for the same thing before it',
          })
    // A slip in a name would leave jobs without a price, and budgets would not count them.
    const named = {
      queues: batchNames(config).jobQueues,
      hosts: Object.keys(config.hosts),
      clusters: Object.keys(config.clusters),
    }
    for (const [kind, known] of Object.entries(named))
      for (const name of Object.keys(config.pricing[kind as keyof typeof named]))
        if (!known.includes(name))
          context.addIssue({ code: 'custom', path: ['pricing', kind, name], message: 'is not configured' })
    const elsewhere = Object.values(braket?.devices ?? {})
      .map(regionOfDevice)
      .filter((device) => device !== undefined)
    if (elsewhere.length > 0 && region === undefined) {
      const message = `must be given: devices in ${[...new Set(elsewhere)].join(', ')} send their events there`
      context.addIssue({ code: 'custom', path: ['region'], message })
    }
  })

/** What a deployment is made from; `docs/deploy.md` has examples. */
export type QuenchConfig = z.infer<typeof configSchema>

/** The queues and definitions that tasks may name, our own included. */
export function batchNames({ batch }: Pick<QuenchConfig, 'batch'>) {
  const own = batch.fargate ? [batch.fargate.name] : []
  return { jobQueues: [...own, ...batch.jobQueues], jobDefinitions: [...own, ...batch.jobDefinitions] }
}

/** What functions know of the back ends: the variable QUENCH_BACKENDS. */
export function backendsOf(config: Pick<QuenchConfig, 'batch' | 'braket' | 'hosts' | 'clusters'>) {
  const { braket, hosts, clusters } = config
  const { jobQueues } = batchNames(config)
  return { ...(jobQueues.length > 0 && { batch: { jobQueues } }), ...(braket && { braket }), hosts, clusters }
}

/** What functions know of prices, the variable QUENCH_PRICES: as configured, and of our own queue and the short names. */
export function pricesOf(config: PricedConfig): Prices {
  const { pricing, braket } = config
  const named = Object.entries(braket?.devices ?? {}).flatMap(([short, arn]) => {
    const price = pricing.devices[arn] ?? devicePrice(arn)
    return price ? [[short, price] as const] : []
  })
  return {
    ...pricing,
    queues: { ...pricing.queues, ...priceOfOwnQueue(config) },
    devices: { ...Object.fromEntries(named), ...pricing.devices },
  }
}

type PricedConfig = Pick<QuenchConfig, 'pricing' | 'batch' | 'braket' | 'region'>

/** None where its Region is not said, or not in the table: a function must not fail over a price. */
function priceOfOwnQueue({ pricing, batch, region }: PricedConfig): Prices['queues'] {
  if (!batch.fargate) return {}
  const { name, vcpus, memoryMiB } = batch.fargate
  const given = pricing.queues[name]
  const architecture = 'X86_64'
  if (!given && !fargateRates(region, architecture)) return {}
  const listed = { kind: 'fargate', architecture, ...(region !== undefined && { region }) } as const
  return { [name]: { jobDefaults: { vcpus, memoryMiB }, ...(given ?? listed) } }
}

/** Source: Braket developer guide, "Regions and devices": Amazon's simulators have no Region in their ARN. */
function regionOfDevice(arn: string): string | undefined {
  return arn.split(':')[3] || undefined
}

/** Regions other than the stack's own whose Braket events have to be forwarded. */
export function forwardedRegions({ braket, region }: QuenchConfig): readonly string[] {
  const regions = Object.values(braket?.devices ?? {}).map(regionOfDevice)
  return [...new Set(regions)].filter((one) => one !== undefined && one !== region) as string[]
}

/**
 * The configuration of a deployment.
 *
 * Errors: one that lists every problem with its path.
 */
export function parseConfig(input: unknown): QuenchConfig {
  const parsed = configSchema.safeParse(input)
  if (parsed.success) return parsed.data
  const lines = problemsOf(parsed.error).map(({ path, message }) => `  ${path || '(all)'}: ${message}`)
  throw new Error(`the configuration is not valid:\n${lines.join('\n')}`)
}

/** Of a JSON file; `{}` without one. */
export function readConfig(file: string | undefined): QuenchConfig {
  return parseConfig(file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8')))
}
