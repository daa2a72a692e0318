import type { Graph } from './graph.ts'

const cache = new WeakMap<Graph, readonly (readonly number[])[]>()

/**
 * What each task really waits for: its own `needs`, and for the post-processing task every task that nothing else
 * needs, which makes it wait for the whole graph.
 */
export function effectiveNeeds(graph: Graph): readonly (readonly number[])[] {
  const known = cache.get(graph)
  if (known) return known
  const needed = new Set(graph.tasks.flatMap((task) => (task.postProcess ? [] : task.needs)))
  const sinks = graph.tasks.filter((task) => !task.postProcess && !needed.has(task.id)).map((task) => task.id)
  const needs = graph.tasks.map((task) => (task.postProcess ? [...new Set([...task.needs, ...sinks])] : task.needs))
  cache.set(graph, needs)
  return needs
}
