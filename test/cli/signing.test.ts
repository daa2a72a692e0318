import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { aGateway } from '../client/a-gateway.ts'
import { runCaptured } from './run-captured.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quench-cli-'))
  await writeFile(join(directory, 'graph.json'), '{"name":"pi","tasks":[{"name":"a","executor":"batch"}]}')
})
afterAll(() => rm(directory, { recursive: true }))

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')
  vi.stubEnv('AWS_PROFILE', undefined)
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('QUENCH_TOKEN', undefined)
  vi.stubEnv('QUENCH_SIGN', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const aRefusingGateway = () => aGateway(() => ({ status: 403, body: { message: 'Forbidden' } }))

describe('quench with a deployed API', () => {
  it('signs for the Region of --sign', async () => {
    await using gateway = await aGateway(() => ({ status: 200, body: { items: [] } }))
    expect(await runCaptured(['ls', '--sign', 'eu-west-2'], gateway)).toMatchObject({ exitCode: 0 })
    expect(gateway.received[0]?.headers.authorization).toContain('/eu-west-2/execute-api/')
  })

  it('leaves with 2 when the gateway refuses it, and does not blame the graph', async () => {
    await using gateway = await aRefusingGateway()
    const path = join(directory, 'graph.json')
    const { exitCode, error } = await runCaptured(['dispatch', path, '--sign', 'eu-west-2'], gateway)
    expect(exitCode).toBe(2)
    expect(error).toMatch(new RegExp(`^quench: ${gateway.url} refuses the request \\(403 Forbidden\\)`))
  })

  it('leaves with 2 when there are no credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    await using gateway = await aRefusingGateway()
    const { exitCode, error } = await runCaptured(['ls', '--sign', 'eu-west-2', '--json'], gateway)
    expect(exitCode).toBe(2)
    expect(JSON.parse(error)).toMatchObject({ code: 'InvalidInput', message: expect.stringContaining('AWS_PROFILE') })
    expect(gateway.received).toEqual([])
  })

  it('loads what signs only when something is to be signed', async () => {
    const loaded = async (url: string) => {
      const script = `
        import { registerHooks } from 'node:module'
        const files = []
        registerHooks({ load: (url, context, next) => { files.push(url); return next(url, context) } })
        const { createClient } = await import(${JSON.stringify(new URL('../../lib/client/client.ts', import.meta.url))})
        const fetch = async () => Response.json({ items: [] })
        for await (const _ of createClient({ url: process.argv[1], fetch }).list()) {}
        console.log(files.some((file) => file.includes('signature-v4')))`
      const args = ['--input-type=module', '--eval', script, url]
      return (await promisify(execFile)(process.execPath, args)).stdout.trim()
    }
    expect(await loaded('http://127.0.0.1:7766')).toBe('false')
    expect(await loaded('https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com')).toBe('true')
  })
})
