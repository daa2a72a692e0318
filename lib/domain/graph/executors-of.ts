import type { JsonValue } from '../json.ts'
import { type Graph, sublattice } from './graph.ts'

/**
 * The executors of a graph's tasks, those of the graphs inside it included; sorted, each once. What a task makes at run
 * time is not among them.
 */
export function executorsOf({ tasks }: Pick<Graph, 'tasks'>): readonly string[] {
  const found = new Set<string>()
  const visit = (executor: JsonValue | undefined, inner: JsonValue | undefined) => {
    if (typeof executor !== 'string') return
    found.add(executor)
    if (executor !== sublattice) return
    const nested = fieldOf(inner, 'tasks')
    if (!Array.isArray(nested)) return
    for (const task of nested as readonly JsonValue[])
      visit(fieldOf(task, 'executor'), fieldOf(fieldOf(task, 'options'), 'graph'))
  }
  for (const { executor, options } of tasks) visit(executor, options.graph)
  return [...found].sort()
}

function fieldOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return (value as { readonly [key: string]: JsonValue })[key]
}
