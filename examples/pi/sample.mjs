import { readResult, writeResult } from './results.mjs'

// Usage: sample.mjs PART PLAN
// Throws darts at a square and counts those that land in the quarter circle inscribed in it: π/4 of them, on average.
const [part, plan] = process.argv.slice(2)
const { seed, darts } = (await readResult(plan)).parts[Number(part)]

const random = randomStream(seed, Number(part))
let hits = 0
for (let dart = 0; dart < darts; dart++) {
  const x = random()
  const y = random()
  if (x * x + y * y < 1) hits++
}
await writeResult(JSON.stringify({ part: Number(part), darts, hits }))

/** Numbers from 0 to 1 by sfc32 (Chris Doty-Humphrey, PractRand): other seeds or parts, other streams. */
function randomStream(seed, part) {
  let [a, b, c, counter] = [seed, part, 0x9e3779b9, 1]
  const next = () => {
    const value = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + value
    return (value >>> 0) / 2 ** 32
  }
  for (let warmUp = 0; warmUp < 20; warmUp++) next()
  return next
}
