import { defineConfig } from 'vitest/config'

/** `npm run test:long`: searches and random runs that take hours, one after another. */
export default defineConfig({
  test: { include: ['test/**/*.long.ts'], testTimeout: 6 * 60 * 60 * 1000, maxWorkers: 1 },
})
