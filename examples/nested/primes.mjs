import { writeResult } from './results.mjs'

// Usage: primes.mjs FROM TO
// Counts the primes from FROM up to TO, TO left out, by a sieve of Eratosthenes over that stretch.
const [from, to] = process.argv.slice(2).map(Number)
const isComposite = new Uint8Array(to - from)
for (let factor = 2; factor * factor < to; factor++) {
  for (let multiple = Math.max(factor * factor, Math.ceil(from / factor) * factor); multiple < to; multiple += factor)
    isComposite[multiple - from] = 1
}

let primes = 0
for (let number = Math.max(from, 2); number < to; number++) if (!isComposite[number - from]) primes++
console.log(`${primes} primes from ${from} up to ${to}`)
await writeResult({ from, to, primes })
