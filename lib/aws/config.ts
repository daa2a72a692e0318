import { z } from 'zod'
import { backEndsConfig } from '../back-ends/config.ts'
import { pricesSchema } from '../schema/prices.ts'
import { problemsOf } from '../schema/problems.ts'
import { trigger } from '../schema/trigger.ts'

const name = z.string().min(1)
const backends = z.strictObject(backEndsConfig)

/** Who may see and cancel everything. */
const admins = z.strictObject({
  /** ARNs of IAM users or roles, JWT subjects. */
  principals: z.array(name).default([]),
  /** Groups that a JWT may claim. */
  groups: z.array(name).default([]),
})

const variables = {
  QUENCH_TABLE: name,
  QUENCH_STATE_MACHINE_ARN: z.string().regex(/^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:[^:]+$/, 'must be an ARN'),
  /** Results go under `results/`, those of Braket under `braket/`. */
  QUENCH_BUCKET: name,
  QUENCH_BACKENDS: json(backends),
  QUENCH_ADMINS: json(admins).default({ principals: [], groups: [] }),
  /** The claim of a JWT that holds groups. */
  QUENCH_GROUPS_CLAIM: name.default('groups'),
  QUENCH_TRIGGERS: json(z.array(trigger)).default([]),
  /** What the operator says about prices; the rest is in tables. */
  QUENCH_PRICES: json(pricesSchema).default(pricesSchema.parse({})),
  QUENCH_BULK_QUEUE_URL: z.url(),
}

type Variables = typeof variables
type VariableName = keyof Variables

export type Admins = z.output<typeof admins>

const loop = ['QUENCH_TABLE', 'QUENCH_STATE_MACHINE_ARN'] as const
const jobs = [...loop, 'QUENCH_BUCKET', 'QUENCH_BACKENDS'] as const
const people = ['QUENCH_ADMINS', 'QUENCH_GROUPS_CLAIM'] as const

/** The environment variables that each function reads, all of them here. */
export const functionVariables = {
  api: [...jobs, ...people, 'QUENCH_PRICES'],
  turn: [...loop, 'QUENCH_PRICES'],
  act: [...jobs, 'QUENCH_PRICES'],
  cancel: [...jobs, ...people, 'QUENCH_TRIGGERS', 'QUENCH_PRICES', 'QUENCH_BULK_QUEUE_URL'],
  'job-events': loop,
  reap: jobs,
  sweep: [...jobs, 'QUENCH_BULK_QUEUE_URL'],
  announce: ['QUENCH_TABLE'],
} as const satisfies Record<string, readonly VariableName[]>

type FunctionName = keyof typeof functionVariables
type Config<Name extends FunctionName> = {
  readonly [Key in (typeof functionVariables)[Name][number]]: z.output<Variables[Key]>
}

/**
 * The configuration of a function, from its environment.
 *
 * Errors: one that lists every variable that is missing or wrong.
 */
export function readConfig<Name extends FunctionName>(
  functionName: Name,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config<Name> {
  const shape = Object.fromEntries(functionVariables[functionName].map((key) => [key, variables[key]]))
  const parsed = z.object(shape).safeParse(environment)
  if (parsed.success) return parsed.data as Config<Name>
  const problems = problemsOf(parsed.error).map(({ path, message }) => `${path}: ${message}`)
  throw new Error(`the function ${functionName} is not configured: ${problems.join('; ')}`)
}

function json<Schema extends z.ZodType>(schema: Schema) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' })
        return z.NEVER
      }
    })
    .pipe(schema)
}
