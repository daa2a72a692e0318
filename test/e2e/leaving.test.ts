import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findProcesses } from '../../examples/demo/find-processes.ts'
import { aTask, until } from './a-region.ts'

const program = fileURLToPath(new URL('../../lib/cli/quench.ts', import.meta.url))
const rungs = ['cgroup', 'freezer', 'subreaper', 'best-effort'] as const

/** A server with jobs that are deaf, on Batch and on a host. */
async function aBusyServer(rung: string): Promise<{ server: ChildProcess; data: string }> {
  const data = mkdtempSync(join(tmpdir(), 'quench-leaving-'))
  const args = [program, 'up', '--port', '0', '--data', data, '--containment', rung]
  const server = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(async () => {
    server.kill('SIGKILL')
    for (const { pid } of await findProcesses(data)) process.kill(pid, 'SIGKILL')
    rmSync(data, { recursive: true, force: true, maxRetries: 5 })
  })
  const [line] = await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), 'line')
  const url = String(line).replace('listening on ', '')
  const deaf = 'trap "" TERM INT HUP; setsid sleep 600 & while :; do sleep 1; done'
  const tasks = [aTask('batch', 'on-batch', deaf), aTask('ssh', 'on-host', deaf)]
  await fetch(`${url}/dispatches`, { method: 'POST', body: JSON.stringify({ name: 'busy', tasks }) })
  const isBusy = async () => new Set((await findProcesses(data)).map(({ taskId }) => taskId)).size >= 3
  await until('both jobs run', isBusy)
  return { server, data }
}

describe('a server that leaves', () => {
  test.each(rungs)('at once, at a second ctrl-C, leaves nothing behind (%s)', async (rung) => {
    const { server, data } = await aBusyServer(rung)
    const ended = once(server, 'exit')
    server.kill('SIGINT')
    await once(server.stderr as NodeJS.ReadableStream, 'data')
    server.kill('SIGINT')
    await ended
    // A keeper goes on for a moment after its server.
    await until('nothing is left', async () => (await findProcesses(data)).length === 0)
  })

  test('whose terminal has gone ends its jobs all the same', async () => {
    const { server, data } = await aBusyServer('cgroup')
    server.stdout?.destroy()
    server.stderr?.destroy()
    const ended = once(server, 'exit')
    server.kill('SIGHUP')
    expect(await ended).toEqual([0, null])
    expect(await findProcesses(data)).toEqual([])
  })
})
