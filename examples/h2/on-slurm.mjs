import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

// Usage: on-slurm.mjs | quench dispatch -
// The graph of h2-energy.json whose fit runs on Slurm, for a server that was started with --slurm.
const directory = dirname(import.meta.dirname)
const text = await readFile(join(directory, 'h2-energy.json'), 'utf8')
const graph = JSON.parse(text.replaceAll('${graphDir}', () => JSON.stringify(directory).slice(1, -1)))
const tasks = graph.tasks.map((task) =>
  task.name === 'fit' ? { ...task, executor: 'slurm', options: { command: task.options.command, mem: '100M' } } : task,
)
console.log(JSON.stringify({ ...graph, tasks }))
