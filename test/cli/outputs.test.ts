import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Api } from '../../lib/app/api.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import type { LogView } from '../../lib/schema/api.ts'
import { aLogPart, aRecordingApi, aTask, dispatchId, resultUri } from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { runCaptured } from './run-captured.ts'

const directory = mkdtempSync(join(tmpdir(), 'quench-outputs-'))
afterAll(() => rmSync(directory, { recursive: true }))

const childId = '11111111-0000-4000-8000-000000000003'

/** A dispatch whose task 1, `inner`, is a dispatch with a task `work`. */
const nested: Partial<Api> = {
  listTasks: async (_caller, id) => ({
    items: id === childId ? [aTask({ name: 'work' })] : [aTask(), aTask({ taskId: 1, name: 'inner', childId })],
  }),
}

describe('result', () => {
  it('writes the bytes as they are', async () => {
    const bytes = new Uint8Array([0, 255, 10, 195])
    await using server = await serveApp(aRecordingApi({ readResult: async () => ({ uri: resultUri, bytes }) }))
    expect((await runCaptured(['result', dispatchId], server)).written).toBe('\x00\xff\n\xc3')
    const { out } = await runCaptured(['result', dispatchId, '--json'], server)
    expect(JSON.parse(out)).toEqual({ uri: resultUri, sizeBytes: 4, base64: 'AP8Kww==' })
  })

  it('takes a task by its name, in a dispatch inside too', async () => {
    const api = aRecordingApi(nested)
    await using server = await serveApp(api)
    for (const task of ['1', 'split', 'inner/work', '1/0'])
      expect((await runCaptured(['result', '3f2a', '--task', task], server)).written).toBe('3.14')
    const asked = api.calls.filter(({ method }) => method === 'readResult').map(({ args }) => args.slice(1))
    expect(asked).toEqual([
      ['3f2a', 1],
      ['3f2a', 0],
      [childId, 0],
      [childId, 0],
    ])
  })

  it('goes to a file, and says where it came from', async () => {
    await using server = await serveApp(aRecordingApi())
    const file = join(directory, 'pi')
    expect((await runCaptured(['result', dispatchId, '--out', file], server)).out).toBe(
      `${file}: 4 bytes from ${resultUri}`,
    )
    expect(await readFile(file, 'utf8')).toBe('3.14')
    const { exitCode, error } = await runCaptured(['result', dispatchId, '--out', directory], server)
    expect(exitCode).toBe(2)
    expect(error).toContain('cannot be written')
  })

  it('says why there is none', async () => {
    await using server = await serveApp(
      aRecordingApi({ readResult: () => Promise.reject(new NotFound('it is running')) }),
    )
    expect(await runCaptured(['result', dispatchId], server)).toMatchObject({
      exitCode: 2,
      error: 'quench: it is running',
    })
  })

  it.each([
    ['nobody', 'No task of dispatch 3f2a is called "nobody"'],
    ['split/work', 'Task split of dispatch 3f2a has no tasks inside'],
  ])('names a task %s that is not there', async (task, words) => {
    await using server = await serveApp(aRecordingApi(nested))
    expect((await runCaptured(['result', '3f2a', '--task', task], server)).error).toContain(words)
  })
})

describe('logs', () => {
  it('come piece by piece, each stream to its own', async () => {
    const api = aRecordingApi({
      readLog: async (_caller, _id, _task, { stream, offset }) => {
        const log = stream === 'stdout' ? 'one\ntwo\n' : 'oh\n'
        return {
          ...aLogPart(log, offset),
          text: log.slice(offset, offset + 4),
          nextOffset: Math.min(log.length, offset + 4),
        }
      },
    })
    await using server = await serveApp(api)
    const both = await runCaptured(['logs', dispatchId, '0'], server)
    expect([both.written, both.writtenError]).toEqual(['one\ntwo\n', 'oh\n'])
    const one = await runCaptured(['logs', dispatchId, '0', '--stderr'], server)
    expect([one.written, one.writtenError]).toEqual(['', 'oh\n'])
    const { out } = await runCaptured(['logs', dispatchId, '0', '--stderr', '--json'], server)
    expect(JSON.parse(out)).toEqual({ stream: 'stderr', attempt: 1, hasEnded: true, text: 'oh\n', nextOffset: 3 })
  })

  it('are followed from before the job has begun, over its attempts, until the task has ended', async () => {
    const running = { hasEnded: false }
    const answers: (LogView | Conflict)[] = [
      new Conflict('no job yet'),
      aLogPart('a1\n', 0, running),
      aLogPart('', 3, { ...running, nextOffset: 3 }),
      // The second attempt: what stands at the old offset is not what comes first.
      aLogPart('second\n', 3, { ...running, attempt: 2 }),
      aLogPart('second\n', 0, { ...running, attempt: 2 }),
      aLogPart('', 0, { attempt: 2, nextOffset: 7 }),
    ]
    const readLog: Api['readLog'] = async () => {
      const answer = answers.shift() ?? new NotFound('asked too often')
      if (answer instanceof Error) throw answer
      return answer
    }
    await using server = await serveApp(aRecordingApi({ readLog }))
    // One stream is enough to see the order of the questions.
    const { writtenError, exitCode } = await runCaptured(['logs', dispatchId, '0', '--follow', '--stderr'], server)
    expect(writtenError).toBe('a1\nsecond\n')
    expect(exitCode).toBe(0)
    expect(answers).toEqual([])
  })

  it('of a task without a job are a clear sentence', async () => {
    await using server = await serveApp(aRecordingApi({ readLog: () => Promise.reject(new Conflict('it is pending')) }))
    expect(await runCaptured(['logs', dispatchId, 'split'], server)).toMatchObject({
      exitCode: 2,
      error: 'quench: it is pending',
    })
  })
})
