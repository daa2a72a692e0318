import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findProcesses } from '../../examples/demo/find-processes.ts'
import { quenchUp, type Up } from '../../examples/demo/quench.ts'
import { until } from './a-region.ts'

/** A small disk of its own, where this user may mount one. */
function aDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'quench-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', directory], { stdio: 'ignore' })
    return directory
  } catch {
    rmSync(directory, { recursive: true })
    return undefined
  }
}

const removeDisk = (directory: string) => {
  execFileSync('umount', ['--lazy', directory])
  rmSync(directory, { recursive: true, force: true })
}

const probe = aDisk()
if (probe !== undefined) removeDisk(probe)
const onADisk = test.skipIf(probe === undefined)

/** Write until nothing goes any more, in pieces that get smaller. */
function fill(directory: string): void {
  for (const sizeBytes of [1024 * 1024, 4096, 512]) {
    for (let n = 0; ; n++) {
      try {
        writeFileSync(join(directory, `fill-${sizeBytes}-${n}`), Buffer.alloc(sizeBytes, 1))
      } catch {
        break
      }
    }
  }
}

function makeRoom(directory: string): void {
  execFileSync('sh', ['-c', 'rm -f "$1"/fill-*', 'sh', directory])
}

async function call(
  server: Up,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${server.url}${path}`, body ? { method: 'POST', body: JSON.stringify(body) } : {})
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const up = (data: string) => quenchUp(['--data', data, '--stop-timeout', '1'])

const dispatch = (server: Up, script: string) =>
  call(server, '/dispatches', {
    name: 'on-a-full-disk',
    tasks: [{ name: 'a', executor: 'batch', options: { command: ['sh', '-c', script] } }],
  })

onADisk('a full disk is told with 503, what was asked before is killed, and with room all goes on', async () => {
  const disk = aDisk() as string
  const data = join(disk, 'data')
  const server = await up(data)
  onTestFinished(async () => {
    await server.end('SIGTERM')
    for (const { pid } of await findProcesses(data)) process.kill(pid, 'SIGKILL')
    removeDisk(disk)
  })
  const deaf = 'trap "" TERM; while :; do sleep 1; done'
  const [stopped, running] = [await dispatch(server, deaf), await dispatch(server, deaf)]
  const ids = [stopped, running].map(({ body }) => String(body.dispatchId))
  const [first = '', second = ''] = ids
  await until('both run', async () => (await Promise.all(ids.map(findProcesses))).every((found) => found.length >= 3))

  expect((await call(server, `/dispatches/${first}/cancellations`, { graceSeconds: 1 })).status).toBe(202)
  fill(disk)
  // The database keeps a little in reserve: sooner or later it has none left.
  await until('the server says that it cannot', async () => (await dispatch(server, 'true')).status === 503)
  const refused = await call(server, `/dispatches/${second}/cancellations`, {})
  expect(refused).toMatchObject({ status: 503, body: { code: 'Unavailable' } })
  expect(String(refused.body.message)).toMatch(/No space left/)
  await until('what was asked to stop before is dead', async () => (await findProcesses(first)).length === 0)
  expect((await findProcesses(second)).length).toBeGreaterThan(0)

  makeRoom(disk)
  await until('the cancel goes through', async () => {
    return (await call(server, `/dispatches/${second}/cancellations`, {})).status === 202
  })
  await until('both are cancelled', async () => {
    const views = await Promise.all(ids.map((id) => call(server, `/dispatches/${id}`)))
    return views.every(({ body }) => body.state === 'cancelled')
  })
  expect(await findProcesses(second)).toEqual([])
})

onADisk('a server does not start on a full disk, and says so in a sentence', async () => {
  const disk = aDisk() as string
  onTestFinished(() => removeDisk(disk))
  const data = join(disk, 'data')
  expect(await (await up(data)).end('SIGTERM')).toBe(0)
  fill(disk)
  const error = await up(data).catch(String)
  expect(error).toMatch(/no space left/i)
  expect(error).not.toMatch(/\n\s+at /)
  makeRoom(disk)
  expect(await (await up(data)).end('SIGTERM')).toBe(0)
})

onADisk('a folder that another mount shares with a running server is not taken', async () => {
  const disk = aDisk() as string
  const other = mkdtempSync(join(tmpdir(), 'quench-bind-'))
  execFileSync('mount', ['--bind', disk, other])
  const server = await up(join(disk, 'data'))
  onTestFinished(async () => {
    await server.end('SIGTERM')
    removeDisk(other)
    removeDisk(disk)
  })
  expect(await up(join(other, 'data')).catch(String)).toMatch(/Another server uses/)
})
