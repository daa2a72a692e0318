import { z } from 'zod'
import { graphLimits } from '../domain/graph/graph.ts'

const options = z.record(z.string(), z.json())

/** A year: as long as an execution of Step Functions may take (developer guide, "Quotas"). */
const timeoutSeconds = z.int().min(1).max(31_536_000)

const task = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(graphLimits.nameCharacters)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must begin with a letter or digit and hold letters, digits, . _ - only'),
  /** Position in `tasks`; may be left out. */
  id: z.int().min(0).optional(),
  needs: z.array(z.union([z.string(), z.int().min(0)], 'must be the name or the id of a task')).default([]),
  executor: z.string().min(1),
  options: options.default({}),
  pack: z.string().min(1).max(graphLimits.nameCharacters).optional(),
  postProcess: z.boolean().default(false),
  timeoutSeconds: timeoutSeconds.optional(),
  retry: z.strictObject({ attempts: z.int().min(1).max(10) }).optional(),
})

/** In US dollars. */
const amount = z.number().positive().max(1e9)

/** What a dispatch may spend. */
export const budgetInput = z
  .strictObject({
    /** At this total the dispatch is cancelled. */
    limitUsd: amount,
    warnAtUsd: amount.exactOptional(),
  })
  .refine(({ limitUsd, warnAtUsd = 0 }) => warnAtUsd <= limitUsd, {
    path: ['warnAtUsd'],
    message: 'must not be above limitUsd',
  })

/** A graph as a user writes it: the body of `POST /dispatches`. */
export const graphFile = z.strictObject({
  name: z.string().min(1).max(graphLimits.nameCharacters),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
  /** Options that every task of an executor starts from. */
  defaults: z.record(z.string(), options).default({}),
  tasks: z.array(task).min(1),
  budget: budgetInput.optional(),
  /** For the dispatch as a whole. */
  timeoutSeconds: timeoutSeconds.optional(),
})

/** What a caller may leave out is optional here. */
export type GraphInput = z.input<typeof graphFile>
