import { z } from 'zod'
import type { Problem } from '../domain/errors.ts'
import type { DraftGraph } from '../domain/graph/draft-graph.ts'
import { graphFile } from './graph-file.ts'
import { problemsOf } from './problems.ts'

/** What of an input can be looked into, and what is wrong with its shape. */
export interface GraphSketch {
  readonly draft: DraftGraph
  readonly problems: readonly Problem[]
  /** Whether a problem at this place is only what comes of one of `problems`: it is then no news. */
  isKnown(problem: Problem): boolean
}

const options = z.record(z.string(), z.json()).catch({})

/** As `graphFile`, and content with anything: what is not as it should be is left out. */
const sketch = z.object({
  name: z.string().catch(''),
  tags: z.record(z.string(), z.string()).catch({}),
  defaults: z.record(z.string(), options).catch({}),
  tasks: z
    .array(
      z
        .object({
          name: z.string().catch(''),
          id: z.int().optional().catch(undefined),
          needs: z.array(z.union([z.string(), z.int().min(0)]).catch('')).catch([]),
          executor: z.string().catch(''),
          options,
          pack: z.string().optional().catch(undefined),
          postProcess: z.boolean().catch(false),
        })
        .catch({ name: '', needs: [], executor: '', options: {}, postProcess: false }),
    )
    .catch([]),
})

/**
 * Read a graph as far as it can be read, so that all that is wrong with it can be said at once: a misspelt field in one
 * task is no reason to keep quiet about a circle of others.
 */
export function sketchGraph(input: unknown): GraphSketch {
  const parsed = graphFile.safeParse(input)
  if (parsed.success) return { draft: parsed.data as DraftGraph, problems: [], isKnown: () => false }
  const { data = { name: '', tags: {}, defaults: {}, tasks: [] } } = sketch.safeParse(input)
  // A field too many says nothing about the others; anything else makes what is at its place unreadable.
  const unread = parsed.error.issues.filter(({ code }) => code !== 'unrecognized_keys')
  const places = problemsOf(new z.ZodError(unread)).map(({ path }) => path)
  return {
    draft: data as DraftGraph,
    problems: problemsOf(parsed.error),
    isKnown: ({ path }) =>
      places.some((place) => path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`)),
  }
}
