import { join } from 'node:path'
import { writeResult } from './results.mjs'

// Usage: plan.mjs BELOW SLICE
// Its result is a graph: how many tasks count the primes below BELOW is known only now. The last adds up what they found.
const [below, slice] = process.argv.slice(2).map(Number)
const program = (name) => join(import.meta.dirname, name)

const tasks = Array.from({ length: Math.ceil(below / slice) }, (_, n) => {
  const [from, to] = [n * slice, Math.min(below, (n + 1) * slice)]
  return {
    name: `from-${from}`,
    executor: 'batch',
    options: { command: ['node', program('primes.mjs'), from, to].map(String) },
  }
})
const sum = {
  name: 'sum',
  postProcess: true,
  executor: 'batch',
  options: { command: ['node', program('sum.mjs'), `${below}`] },
}

console.log(`${tasks.length} tasks will look for primes below ${below}`)
await writeResult({ name: `primes below ${below}`, tasks: [...tasks, sum] })
