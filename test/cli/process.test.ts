import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InvalidInput } from '../../lib/domain/errors.ts'
import { aDispatch, aRecordingApi, aTask, dispatchId } from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { anUnusedUrl } from '../http/unused-url.ts'

const program = fileURLToPath(new URL('../../lib/cli/quench.ts', import.meta.url))

/** Run `quench` as a user does, with its output piped. */
async function quench(args: readonly string[], { url = '', stdin = '' } = {}) {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, QUENCH_URL: url } })
  child.stdin.end(stdin)
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { exitCode: child.exitCode, out, error }
}

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quench-cli-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function aGraphFile(name: string, content: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

const graph = '{"name":"pi","tasks":[{"name":"a","executor":"batch","options":{"command":["${graphDir}/a.sh"]}}]}'

describe('quench', () => {
  it('explains its exit codes and the directory token', async () => {
    const [help, dispatchHelp] = await Promise.all([quench(['--help']), quench(['dispatch', '--help'])])
    expect(help.exitCode).toBe(0)
    expect(help.out).toContain('Exit codes:')
    expect(help.out).toContain('QUENCH_URL')
    expect(dispatchHelp.out).toContain('${graphDir}')
  })

  it('leaves with 2 without a command', async () => {
    expect(await quench([])).toMatchObject({ exitCode: 2, error: expect.stringContaining('Usage: quench') })
  })

  it('finds the server by QUENCH_URL and says when none answers', async () => {
    const url = await anUnusedUrl()
    expect(await quench(['ls'], { url })).toEqual({
      exitCode: 3,
      out: '',
      error: `quench: No Quench server answers at ${url}. Start one with "quench up", or set QUENCH_URL.\n`,
    })
  })

  it('dispatches a file, with its directory filled in', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { out, exitCode } = await quench(['dispatch', await aGraphFile('pi.json', graph), '--json'], server)
    expect(out).toBe(`${JSON.stringify({ dispatchId })}\n`)
    expect(exitCode).toBe(0)
    expect(api.calls[0]?.args[1]).toMatchObject({ tasks: [{ options: { command: [`${directory}/a.sh`] } }] })
  })

  it('dispatches stdin and says how to go on', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { out } = await quench(['dispatch', '-'], { ...server, stdin: graph })
    expect(out.split('\n')[0]).toBe(dispatchId)
    expect(out).toContain(`quench watch ${dispatchId}`)
    expect(api.calls[0]?.args[1]).toMatchObject({ tasks: [{ options: { command: [`${process.cwd()}/a.sh`] } }] })
  })

  it('names file, place and reason of a bad graph', async () => {
    const details = [{ path: 'tasks[0].needs[0]', message: '"b" names no task of this graph' }]
    await using server = await serveApp(
      aRecordingApi({ submitDispatch: () => Promise.reject(new InvalidInput('the graph is not valid', { details })) }),
    )
    const notJson = await aGraphFile('not-json.json', '{\n  "name": pi\n}')
    const notValid = await aGraphFile('not-valid.json', graph)
    const missing = join(directory, 'missing.json')
    const [first, second, third] = await Promise.all(
      [notJson, notValid, missing].map((path) => quench(['dispatch', path], server)),
    )
    expect(first).toMatchObject({
      exitCode: 2,
      error: `quench: ${notJson} is not JSON: line 2, column 11: Unexpected token 'p'\n`,
    })
    expect(second).toMatchObject({
      exitCode: 2,
      error: `quench: ${notValid}: the graph is not valid\n  tasks[0].needs[0]: "b" names no task of this graph\n`,
    })
    expect(third).toMatchObject({ exitCode: 2, error: `quench: ${missing} cannot be read: there is no such file.\n` })
  })

  it('watches what it has dispatched, without colours in a pipe', async () => {
    const ended = { state: 'failed', endedAt: '2026-03-01T12:00:09.000Z', tasks: { failed: 1 } } as const
    await using server = await serveApp(
      aRecordingApi({
        describeDispatch: async () => aDispatch(ended),
        listTasks: async () => ({ items: [aTask({ state: 'failed', attempt: 1, exitCode: 3 })] }),
      }),
    )
    const { out, exitCode } = await quench(['dispatch', '-', '--watch'], { ...server, stdin: graph })
    expect(out.split('\n').slice(2)).toEqual(['pi failed after 9.0s: 1 failed', '  split: exit code 3', ''])
    expect(out).not.toContain('\x1b')
    expect(exitCode).toBe(1)
  })
})
