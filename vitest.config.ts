import { defineConfig } from 'vitest/config'
import { patienceMs } from './test/support/patience.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 3 * patienceMs,
    hookTimeout: 3 * patienceMs,
    expect: { poll: { timeout: patienceMs, interval: 25 } },
    // The default leaves a core idle; most tests wait for processes.
    maxWorkers: '100%',
    reporters: ['default', 'json'],
    outputFile: { json: 'coverage/results.json' },
    coverage: { provider: 'v8', include: ['lib/**'], reporter: ['text-summary', 'json-summary'] },
  },
})
