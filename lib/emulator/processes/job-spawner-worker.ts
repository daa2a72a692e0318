import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { jobScript } from './job-run-file.ts'
import type { SpawnReport, SpawnRequest } from './job-spawner.ts'
import { readProcess } from './process-tree.ts'

const report = (what: SpawnReport) => parentPort?.postMessage(what)

parentPort?.on('message', ({ jobId, keeper, args, cwd, folders, environment }: SpawnRequest) => {
  try {
    for (const folder of folders) mkdirSync(folder, { recursive: true })
    const [program = '', ...rest] = [...keeper, '/bin/sh', '-c', jobScript, 'quench-job', ...args]
    // A session of its own: no signal of our terminal reaches it, and it outlives us.
    const child = spawn(program, rest, { cwd, env: environment, detached: true, stdio: 'ignore' })
    child.once('error', ({ message }) => report({ jobId, state: 'failed', message }))
    child.once('exit', (code, signal) => report({ jobId, state: 'ended', code, signal }))
    // What has ended already has no start time any more, and needs none.
    const { pid } = child
    if (pid !== undefined) report({ jobId, state: 'started', root: readProcess(pid) ?? { pid, startTicks: 0 } })
  } catch (error) {
    report({ jobId, state: 'failed', message: (error as Error).message })
  }
})
