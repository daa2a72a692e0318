import { parentPort } from 'node:worker_threads'
import { jobVariable } from './job-variable.ts'
import type { LookAnswer, LookRequest } from './process-looker.ts'
import { findProcesses, type ProcessIdentity } from './process-tree.ts'

/** What is known of a job: its processes at the last look, whatever has become of them, and their sessions. */
const known = new Map<string, readonly ProcessIdentity[]>()
const sessions = new Map<number, string>()

parentPort?.on('message', ({ jobs, forgotten }: LookRequest) => {
  for (const jobId of forgotten) forget(jobId)
  const beganAt = performance.now()
  const all = findProcesses(jobVariable, new Set(jobs.map(({ jobId }) => jobId)), {
    sinceTicks: Math.min(...jobs.map(({ sinceTicks }) => sinceTicks)),
    known,
    sessions,
  })
  for (const { jobId } of jobs) {
    const found = all.get(jobId) ?? []
    forget(jobId)
    if (found.length === 0) continue
    known.set(jobId, found)
    // A session without a member that we have seen may be another's by now, so each look begins anew.
    for (const { sessionId } of found) sessions.set(sessionId, jobId)
  }
  parentPort?.postMessage({ found: all, tookMs: performance.now() - beganAt } satisfies LookAnswer)
})

function forget(jobId: string): void {
  known.delete(jobId)
  for (const [sessionId, owner] of sessions) if (owner === jobId) sessions.delete(sessionId)
}
