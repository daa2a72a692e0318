import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They say that something hangs, not that it is slow: two cores run everything at once.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The default leaves a core idle; most tests wait for processes.
    maxWorkers: '100%',
    reporters: ['default', 'json'],
    outputFile: { json: 'coverage/results.json' },
    coverage: { provider: 'v8', include: ['lib/**'], reporter: ['text-summary', 'json-summary'] },
  },
})
