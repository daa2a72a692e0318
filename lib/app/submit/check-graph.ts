import type { Packing } from '../../back-ends/executor.ts'
import { InvalidInput, type Problem } from '../../domain/errors.ts'
import { resolveGraph } from '../../domain/graph/draft-graph.ts'
import { type Graph, graphLimits, type Task } from '../../domain/graph/graph.ts'
import { packsOf } from '../../domain/graph/packs.ts'
import { sketchGraph } from '../../schema/graph-sketch.ts'
import { problemsOf } from '../../schema/problems.ts'
import type { Context } from '../context.ts'

/**
 * The graph behind what a user or a task wrote, its options as the executors' schemas leave them.
 *
 * Errors: InvalidInput with every problem.
 */
export function checkGraph({ executors }: Context, input: unknown): Graph {
  // Looked at before anything else: zod would report a problem for each of a million tasks.
  const count = (input as { tasks?: unknown[] } | null)?.tasks?.length
  if (typeof count === 'number' && count > graphLimits.tasks)
    throw invalid([{ path: 'tasks', message: `a graph has at most ${graphLimits.tasks} tasks, this one has ${count}` }])
  const { draft, problems: misshapen, isKnown } = sketchGraph(input)
  const { graph, problems: found } = resolveGraph(draft, [...executors.keys()])
  const problems = [...found]
  const tasks = (graph?.tasks ?? []).map((task): Task => {
    // Kept as the executor's schema leaves them, with its defaults filled in.
    const options = executors.get(task.executor)?.optionsSchema.safeParse(task.options)
    if (options?.error) problems.push(...problemsOf(options.error, `tasks[${task.id}].options`))
    return options?.data ? { ...task, options: options.data } : task
  })
  for (const [pack, members] of packsOf(tasks)) {
    const problem = packingProblem(executors.get(members[0]?.executor ?? '')?.packing, members)
    if (problem) problems.push({ path: `tasks[${members[0]?.id}].pack`, message: `pack "${pack}": ${problem}` })
  }
  const all = [...misshapen, ...problems.filter((problem) => !isKnown(problem))]
  if (!graph || all.length > 0) throw invalid(all)
  return { ...graph, tasks }
}

function packingProblem(packing: Packing | undefined, members: readonly Task[]): string | undefined {
  if (!packing) return undefined
  const [first] = members
  const other = members.find(({ needs }) => String(needs) !== String(first?.needs))
  if (!packing.mayDifferInNeeds && other)
    return `its members must have the same needs on ${other.executor}: "${first?.name}" and "${other.name}" differ`
  return packing.problem(members.map(({ options }) => options))
}

function invalid(details: readonly Problem[]): InvalidInput {
  const [first] = details
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : ''
  return new InvalidInput(`the graph is not valid: ${first?.path}: ${first?.message}${more}`, { details })
}
