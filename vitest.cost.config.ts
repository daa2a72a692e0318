import { defineConfig } from 'vitest/config'

/** `npm run cost`: it needs the world of the tests, and takes minutes. */
export default defineConfig({ test: { include: ['test/bench/cost/cost.run.ts'], testTimeout: 60 * 60 * 1000 } })
