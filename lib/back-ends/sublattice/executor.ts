import { z } from 'zod'
import { BackendRejected, InvalidInput } from '../../domain/errors.ts'
import { sublattice } from '../../domain/graph/graph.ts'
import type { JsonObject } from '../../domain/json.ts'
import { parseJson } from '../../schema/parse-json.ts'
import type { Executor, Handle, JobSpec, PreparedSubmit } from '../executor.ts'
import { findEach } from '../find-each.ts'
import type { ChildDispatches } from './child-dispatches.ts'

export const sublatticeChunk = { submit: 10, poll: 100, cancel: 100 } as const

interface SublatticeOptions {
  readonly children: ChildDispatches
  /** The text behind a result's URI. Errors: BackendRejected where there is none, BackendUnavailable to try again. */
  readonly readText: (uri: string) => Promise<string>
}

/**
 * Tasks whose job is a dispatch: of a graph in the options, or of one that another task has made.
 *
 * The child's id follows from the job's name, so a submit that is repeated finds the child that is there, and a child
 * not yet born can be fenced by a tombstone. Cancelling the task cancels the child, and so its children.
 */
export function createSublatticeExecutor({ children, readText }: SublatticeOptions): Executor {
  const handleOf = (name: string): Handle => ({ dispatchId: children.idOf(name) })
  const childOf = (handle: Handle) => String(handle.dispatchId)

  const readGraph = async ({ graph, graphFrom }: JsonObject): Promise<unknown> => {
    if (graphFrom === undefined) return graph
    try {
      return parseJson(await readText(String(graphFrom)))
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error
      throw new BackendRejected(`the graph at ${graphFrom} is not JSON: ${error.message}`, { cause: error })
    }
  }

  const prepare = async (job: JobSpec): Promise<PreparedSubmit> => {
    const { name, options, dispatchId, taskId, attempt, environment } = job
    const graph = await readGraph(options)
    const resultUri = environment.QUENCH_RESULT ?? ''
    return async () => {
      try {
        await children.start({ id: children.idOf(name), graph, resultUri }, { dispatchId, taskId, attempt })
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error
        throw new BackendRejected(describe(error), { cause: error })
      }
      return handleOf(name)
    }
  }

  return {
    name: sublattice,
    adopts: true,
    optionsSchema: optionsSchema(children),
    handleSchema: z.strictObject({ dispatchId: z.string() }),
    // It calls the store and the state machine only, as everything does.
    iamActions: [],
    chunk: sublatticeChunk,

    prepare,
    submit: async (job) => (await prepare(job))(),
    find: (jobs, deadline) =>
      findEach(
        jobs,
        async ({ name }) => ((await children.exists(children.idOf(name))) ? handleOf(name) : undefined),
        deadline,
      ),
    forestall: async ({ name, dispatchId, taskId, attempt }) => {
      await children.forestall(children.idOf(name), { dispatchId, taskId, attempt })
      return handleOf(name)
    },
    poll: (handles) => Promise.all(handles.map((handle) => children.observe(childOf(handle)))),
    // Fences only: what runs in a child is stopped by the child's own loop.
    cancel: (handles, request) => Promise.all(handles.map((handle) => children.cancel(childOf(handle), request))),
  }
}

const problemsShown = 20

function describe({ message, details }: InvalidInput): string {
  if (details.length === 0) return message
  const shown = details.slice(0, problemsShown).map((problem) => `${problem.path}: ${problem.message}`)
  const more = details.length > problemsShown ? ` (and ${details.length - problemsShown} more)` : ''
  return `the graph is not valid: ${shown.join('; ')}${more}`
}

function optionsSchema({ check }: ChildDispatches): Executor['optionsSchema'] {
  return z
    .strictObject({
      /** The child's graph, as in a graph file. */
      graph: z.record(z.string(), z.json()).exactOptional(),
      /** Or the URI of one: `${tasks.<name>.result}` of a task that makes it. */
      graphFrom: z.string().min(1).exactOptional(),
    })
    .superRefine(({ graph, graphFrom }, context) => {
      if ((graph === undefined) === (graphFrom === undefined))
        context.addIssue({ code: 'custom', message: 'give either graph or graphFrom' })
      if (graph === undefined) return
      for (const { path, message } of check(graph))
        context.addIssue({ code: 'custom', path: [`graph.${path}`], message })
    })
}
