import { z } from 'zod'
import { parseSelector } from '../domain/bulk/parse-selector.ts'
import { type Selector, selectableStatuses, selectorProblem } from '../domain/bulk/selector.ts'
import { graphLimits } from '../domain/graph/graph.ts'
import { problemsOf } from './problems.ts'

const value = z.string().min(1).max(512)

const selectorObject = z.strictObject({
  all: z.literal(true).exactOptional(),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= graphLimits.tags, `must be at most ${graphLimits.tags}`)
    .exactOptional(),
  owner: value.exactOptional(),
  status: z.enum(selectableStatuses).exactOptional(),
  olderThanSeconds: z.int().min(0).exactOptional(),
  backend: value.exactOptional(),
  name: value.exactOptional(),
})

/** Which dispatches are meant, as text (`tag:project=h2 older:2h`) or as an object of the same conditions. */
export type SelectorInput = string | Selector

/** Every problem is told, in the place of the selector or of its field. */
export const selector = z.unknown().transform((input, context): Selector => {
  if (typeof input === 'string') {
    const read = parseSelector(input)
    if ('selector' in read) return read.selector
    for (const message of read.problems) context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  const parsed = selectorObject.safeParse(input)
  if (!parsed.success) {
    const isNothing = typeof input !== 'object' || input === null || Array.isArray(input)
    if (isNothing) context.addIssue({ code: 'custom', message: 'must be a selector, as text or as an object' })
    else
      for (const { path, message } of parsed.error.issues)
        context.addIssue({ code: 'custom', path: [...path], message })
    return z.NEVER
  }
  const problem = selectorProblem(parsed.data)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  return problem === undefined ? parsed.data : z.NEVER
})

/** The text of a selector that someone configures: nobody asks, so nobody is `me`. */
export const configuredSelector = z.string().superRefine((text, context) => {
  const { error, data } = selector.safeParse(text)
  for (const { message } of error ? problemsOf(error) : []) context.addIssue({ code: 'custom', message })
  if (data?.owner === 'me') context.addIssue({ code: 'custom', message: 'owner: nobody is "me" here' })
})
