import type { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { type Graph, graphLimits, ownOptions, type Task } from './graph.ts'
import { packProblems } from './packs.ts'
import { findCycles } from './topological-order.ts'

/** A graph as its author writes it: `needs` by name or id, options spread over `defaults` and tasks. */
export interface DraftGraph {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  readonly defaults: Readonly<Record<string, JsonObject>>
  readonly tasks: readonly DraftTask[]
  readonly budget?: Graph['budget'] | undefined
  readonly timeoutSeconds?: number | undefined
}

interface DraftTask {
  readonly name: string
  readonly id?: number | undefined
  readonly needs: readonly (string | number)[]
  readonly executor: string
  readonly options: JsonObject
  readonly pack?: string | undefined
  readonly postProcess: boolean
  readonly timeoutSeconds?: number | undefined
  readonly retry?: { readonly attempts: number } | undefined
}

/**
 * Turn a draft into a graph, and say everything that is wrong with it at once. With problems the graph is only good for
 * finding more of them; with far too many tasks there is none.
 *
 * `executors` are the names that tasks may use. Options are merged over the executor's defaults, and not looked into
 * beyond their size and their `${tasks.<name>.result}` references.
 */
export function resolveGraph(
  draft: DraftGraph,
  executors: readonly string[],
): { graph?: Graph; problems: readonly Problem[] } {
  const problems: Problem[] = []
  const report = (path: string, message: string) => problems.push({ path, message })
  const { tasks } = draft

  if (tasks.length > graphLimits.tasks)
    return {
      problems: [
        { path: 'tasks', message: `a graph has at most ${graphLimits.tasks} tasks, this one has ${tasks.length}` },
      ],
    }
  if (Object.keys(draft.tags).length > graphLimits.tags) report('tags', `at most ${graphLimits.tags} tags`)
  for (const name of Object.keys(draft.defaults))
    if (!executors.includes(name)) report(`defaults.${name}`, unknownExecutor(name, executors))

  const idOf = new Map<string, number>()
  tasks.forEach((task, index) => {
    const first = idOf.get(task.name)
    if (first === undefined) idOf.set(task.name, index)
    else report(`tasks[${index}].name`, `"${task.name}" is the name of tasks[${first}] already`)
    if (task.id !== undefined && task.id !== index)
      report(`tasks[${index}].id`, `ids are positions: this task is ${index}, not ${task.id}`)
  })

  const posts = tasks.flatMap((task, index) => (task.postProcess ? [index] : []))
  for (const index of posts.slice(1))
    report(`tasks[${index}].postProcess`, `a graph has one post-processing task, and tasks[${posts[0]}] is it already`)

  const needs = tasks.map((task, index) =>
    resolveNeeds(task, index, idOf, tasks.length).flatMap((need, at) => {
      const path = `tasks[${index}].needs[${at}]`
      if (typeof need === 'string') report(path, need)
      else if (need === index) report(path, `"${task.name}" needs itself`)
      else if (posts.includes(need)) report(path, `"${tasks[need]?.name}" is the post-processing task and runs last`)
      else return [need]
      return []
    }),
  )
  for (const cycle of findCycles(needs)) {
    const names = cycle.map((id) => tasks[id]?.name)
    report(`tasks[${cycle[0]}].needs`, `tasks wait for each other: ${names.join(' needs ')}`)
  }

  const resolved = tasks.map((task, index): Task => {
    if (!executors.includes(task.executor))
      report(`tasks[${index}].executor`, unknownExecutor(task.executor, executors))
    const options = { ...draft.defaults[task.executor], ...task.options }
    const text = JSON.stringify(options)
    if (new TextEncoder().encode(text).length > graphLimits.optionsBytes)
      report(
        `tasks[${index}].options`,
        `at most ${graphLimits.optionsBytes / 1024} KB of options a task; give larger things by URI`,
      )
    for (const name of referencedTasks(JSON.stringify(ownOptions({ executor: task.executor, options })))) {
      const id = idOf.get(name)
      if (id === undefined) report(`tasks[${index}].options`, `"\${tasks.${name}.result}" names no task of this graph`)
      else if (id === index)
        report(`tasks[${index}].options`, `"\${tasks.${name}.result}" is the result of this task itself`)
      else if (!task.postProcess && !needs[index]?.includes(id))
        report(`tasks[${index}].options`, `"\${tasks.${name}.result}" needs "${name}" in needs`)
    }
    return {
      id: index,
      name: task.name,
      needs: [...new Set(needs[index])],
      executor: task.executor,
      options,
      ...(task.pack !== undefined && { pack: task.pack }),
      ...(task.postProcess && { postProcess: true }),
      ...(task.timeoutSeconds !== undefined && { timeoutSeconds: task.timeoutSeconds }),
      ...(task.retry && { retry: task.retry }),
    }
  })
  problems.push(...packProblems(resolved))
  const { name, tags, budget, timeoutSeconds } = draft
  const graph = {
    name,
    tags,
    tasks: resolved,
    ...(budget && { budget }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  }
  return { graph, problems }
}

/** Names of the tasks whose results a text asks for by `${tasks.<name>.result}`. */
export function referencedTasks(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\$\{tasks\.([A-Za-z0-9._-]+?)\.result\}/g)].map((match) => match[1] as string))]
}

function resolveNeeds(
  task: DraftTask,
  index: number,
  idOf: ReadonlyMap<string, number>,
  count: number,
): (number | string)[] {
  return task.needs.map((need) => {
    if (typeof need === 'number')
      return need < count ? need : `there is no task ${need}: ids run from 0 to ${count - 1}`
    const id = need === task.name ? index : idOf.get(need)
    return id ?? `"${need}" names no task of this graph`
  })
}

function unknownExecutor(name: string, executors: readonly string[]): string {
  return `"${name}" is no executor; there are: ${executors.join(', ')}`
}
