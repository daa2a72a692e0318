import { parseJsonFile } from './parse-json-file.ts'

interface GraphSource {
  /** As the user named it: for messages. */
  readonly file: string
  /** Absolute; what `${graphDir}` stands for. */
  readonly directory: string
}

const token = '${graphDir}'

/**
 * Make a graph of the text of a graph file: `${graphDir}` in the strings of its options becomes the file's directory.
 *
 * Everything but its syntax is left to the server. Errors: InvalidInput with file, line and column.
 */
export function loadGraph(text: string, { file, directory }: GraphSource): unknown {
  const graph = parseJsonFile(text, file)
  if (!isRecord(graph)) return graph
  const { tasks } = graph
  return {
    ...graph,
    defaults: substitute(graph.defaults, directory),
    tasks: Array.isArray(tasks) ? tasks.map((task) => withDirectory(task, directory)) : tasks,
  }
}

function withDirectory(task: unknown, directory: string): unknown {
  return isRecord(task) ? { ...task, options: substitute(task.options, directory) } : task
}

function substitute(value: unknown, directory: string): unknown {
  if (typeof value === 'string') return value.replaceAll(token, () => directory)
  if (Array.isArray(value)) return value.map((item) => substitute(item, directory))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, directory)]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
