import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { jobScript } from './job-run-file.ts'
import type { SpawnReport, SpawnRequest } from './job-spawner.ts'

const report = (what: SpawnReport) => parentPort?.postMessage(what)

parentPort?.on('message', ({ jobId, args, cwd, isOwnFolder, environment }: SpawnRequest) => {
  try {
    if (isOwnFolder) mkdirSync(cwd, { recursive: true })
    // A session of its own: no signal of our terminal reaches it, and it outlives us.
    const child = spawn('/bin/sh', ['-c', jobScript, 'quench-job', ...args], {
      cwd,
      env: environment,
      detached: true,
      stdio: 'ignore',
    })
    child.once('error', ({ message }) => report({ jobId, state: 'failed', message }))
    child.once('exit', (code, signal) => report({ jobId, state: 'ended', code, signal }))
    if (child.pid !== undefined) report({ jobId, state: 'started', pid: child.pid })
  } catch (error) {
    report({ jobId, state: 'failed', message: (error as Error).message })
  }
})
