import type { JobQuery, JobSpec } from '../../back-ends/executor.ts'
import { referencedTasks } from '../../domain/graph/draft-graph.ts'
import { effectiveNeeds } from '../../domain/graph/effective-needs.ts'
import { type Graph, ownOptions, type Task } from '../../domain/graph/graph.ts'
import { jobName } from '../../domain/job-name.ts'
import type { JsonObject, JsonValue } from '../../domain/json.ts'
import type { Context } from '../context.ts'
import { resultUriOf } from '../read/result-uri.ts'

/** What an executor needs to look for the job of an attempt. */
export function jobQuery(dispatchId: string, task: Task, attempt: number): JobQuery {
  const ref = { dispatchId, taskId: task.id, attempt }
  return { ...ref, name: jobName(ref), options: task.options }
}

/**
 * An attempt as its executor gets it: with the results of what it needs put in, and the `QUENCH_…` variables.
 *
 * The post-processing task sees the tasks it names in `needs`; where it names none, those that nothing else needs.
 */
export async function jobSpec(
  context: Pick<Context, 'store' | 'resultUri' | 'writeText'>,
  dispatchId: string,
  graph: Graph,
  task: Task,
  attempt: number,
): Promise<JobSpec> {
  const query = jobQuery(dispatchId, task, attempt)
  const shown = task.needs.length > 0 ? task.needs : (effectiveNeeds(graph)[task.id] ?? [])
  const referenced = referencedTasks(JSON.stringify(ownOptions(task)))
  const ids = new Set([...shown, ...graph.tasks.filter(({ name }) => referenced.includes(name)).map(({ id }) => id)])
  const runs = ids.size > 0 ? await context.store.readRuns(dispatchId, [...ids]) : []
  const results = new Map(
    runs.map((run) => {
      const { name, ...needed } = graph.tasks[run.id] as Task
      return [name, resultUriOf(context, dispatchId, graph, needed, run.attempt)]
    }),
  )
  const inputs = Object.fromEntries(
    shown.flatMap((id) => {
      const name = graph.tasks[id]?.name ?? ''
      const uri = results.get(name)
      return uri === undefined ? [] : [[name, uri]]
    }),
  )
  return {
    ...query,
    options: { ...task.options, ...(substitute(ownOptions(task), results) as JsonObject) },
    ...(task.timeoutSeconds !== undefined && { timeoutSeconds: task.timeoutSeconds }),
    environment: {
      QUENCH_DISPATCH_ID: dispatchId,
      QUENCH_TASK_ID: String(task.id),
      QUENCH_ATTEMPT: String(attempt),
      QUENCH_JOB: query.name,
      ...(await passInputs(context, query, inputs)),
      QUENCH_RESULT: resultUriOf(context, dispatchId, graph, task, attempt),
    },
  }
}

/** Where there are variables, their space is scarce: Batch takes 30 KiB a job in all, SSH keeps 8,000 bytes free. */
const maxInputsBytes = 4 * 1024

/** The inputs as a variable, or, where they are long, as a file and a variable that says where it is. */
async function passInputs(
  { resultUri, writeText }: Pick<Context, 'resultUri' | 'writeText'>,
  { dispatchId, taskId, attempt }: JobQuery,
  inputs: JsonObject,
): Promise<Readonly<Record<string, string>>> {
  const text = JSON.stringify(inputs)
  if (Buffer.byteLength(text) <= maxInputsBytes) return { QUENCH_INPUTS: text }
  const uri = `${resultUri(dispatchId, taskId, attempt)}-inputs.json`
  await writeText(uri, text)
  return { QUENCH_INPUTS_URI: uri }
}

function substitute(value: JsonValue, results: ReadonlyMap<string, string>): JsonValue {
  if (typeof value === 'string')
    return value.replaceAll(
      /\$\{tasks\.([A-Za-z0-9._-]+?)\.result\}/g,
      (whole, name: string) => results.get(name) ?? whole,
    )
  if (Array.isArray(value)) return value.map((one) => substitute(one, results))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, substitute(one, results)]))
  return value
}
