import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    // The default leaves a core idle; most tests wait for processes.
    maxWorkers: '100%',
    reporters: ['default', 'json'],
    outputFile: { json: 'coverage/results.json' },
    coverage: { provider: 'v8', include: ['lib/**'], reporter: ['text-summary', 'json-summary'] },
  },
})
