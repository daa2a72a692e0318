import type { Budget } from '../budget/budget.ts'
import type { JsonObject } from '../json.ts'

/** The workflow as submitted. Immutable; `tasks[i].id === i`. */
export interface Graph {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  readonly tasks: readonly Task[]
  /** Of a sublattice's child: where the result of its post-processing task goes, as the result of the sublattice. */
  readonly resultUri?: string
  readonly budget?: Pick<Budget, 'limitUsd' | 'warnAtUsd'>
  /** After this long the dispatch is stopped, and has failed. */
  readonly timeoutSeconds?: number
}

/** One node of a graph (Covalent: electron). */
export interface Task {
  readonly id: number
  readonly name: string
  /** Ids of the tasks that must succeed before this one starts. */
  readonly needs: readonly number[]
  readonly executor: string
  /** Checked by the executor's own schema before the dispatch exists. */
  readonly options: JsonObject
  /** Tasks of one pack share one job where their back end can do that. They cannot need each other. */
  readonly pack?: string
  /** Runs after every other task of the graph; its result is the dispatch's result. */
  readonly postProcess?: boolean
  readonly timeoutSeconds?: number
  /** `attempts` counts all submissions, the first one included. */
  readonly retry?: { readonly attempts: number }
}

/** The executor of tasks whose job is a dispatch of its own. */
export const sublattice = 'sublattice'

/** A task's options without a graph in them: that has tasks and references of its own. */
export function ownOptions({ executor, options }: Pick<Task, 'executor' | 'options'>): JsonObject {
  if (executor !== sublattice) return options
  const { graph: _, ...own } = options
  return own
}

/** Limits of one graph; a larger workflow is split into several dispatches. */
export const graphLimits = {
  tasks: 10_000,
  optionsBytes: 64 * 1024,
  requestBytes: 6 * 1024 * 1024,
  nameCharacters: 128,
  /** Dispatches inside dispatches. */
  depth: 8,
  tags: 50,
} as const
