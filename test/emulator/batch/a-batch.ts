import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createLocalBatch } from '../../../lib/emulator/batch/local-batch.ts'
import type { LocalBatch, LocalBatchOptions } from '../../../lib/emulator/batch/local-batch-port.ts'

/** Gone at the end of the test. */
export function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quench-local-batch-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A local Batch on its own directory, killed with all its jobs at the end of the test. */
export async function aBatch(options: Partial<LocalBatchOptions> = {}): Promise<LocalBatch & { directory: string }> {
  const directory = options.directory ?? aDirectory()
  const batch = createLocalBatch({ directory, vcpus: 4, stopTimeoutSeconds: 0.3, ...options })
  await batch.start()
  onTestFinished(() => batch.close({ detachJobs: false }))
  return { ...batch, directory }
}
