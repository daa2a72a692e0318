import { inputs, readResult, writeResult } from './results.mjs'

// Usage: sum.mjs BELOW
// The last task of the inner graph. Its result is that of the outer graph's task "count".
const parts = await Promise.all(Object.values(inputs).map(readResult))
await writeResult({
  below: Number(process.argv[2]),
  tasks: parts.length,
  primes: parts.reduce((sum, part) => sum + part.primes, 0),
})
