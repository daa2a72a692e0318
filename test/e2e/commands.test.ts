import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quench, quenchUp } from '../../examples/demo/quench.ts'
import { anUnusedUrl } from '../http/unused-url.ts'
import { aRegion, aTask, release, type TestRegion, until, waitingScript } from './a-region.ts'

const unknownId = '00000000-0000-8000-8000-000000000000'

describe('quench, as a user starts it', () => {
  let region: TestRegion
  beforeAll(async () => {
    region = await aRegion()
  })
  afterAll(() => region[Symbol.asyncDispose]())

  it('says where it listens, and that nothing has been dispatched yet', async () => {
    expect(region.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await region.quench('ls')).toEqual({
      exitCode: 0,
      out: 'No dispatches yet. Try: quench dispatch FILE\n',
      error: '',
    })
  })

  describe.concurrent('on one server', () => {
    it('runs a graph on both back ends to the result of its last task', async () => {
      const dispatchId = await region.dispatch({
        name: 'sum',
        tasks: [
          aTask('batch', 'one', 'echo 1 >"${QUENCH_RESULT#file://}"'),
          aTask('ssh', 'two', 'echo 2 >"${QUENCH_RESULT#file://}"'),
          aTask('ssh', 'sum', 'one=${tasks.one.result}; echo "$(cat ${one#file://}) $QUENCH_INPUTS"', ['one', 'two']),
          { ...aTask('batch', 'report', 'echo done >"${QUENCH_RESULT#file://}"'), postProcess: true },
        ],
      })
      const watched = await region.quench('watch', dispatchId)
      expect(watched).toMatchObject({ exitCode: 0, error: '' })
      expect(watched.out).toContain('report  succeeded  (batch')
      expect(watched.out).toMatch(/\nsum succeeded after \d.*: 4 succeeded\n$/)

      const { dispatch } = await region.show(dispatchId)
      expect(region.result(dispatch.resultUri)).toBe('done\n')
      const shown = await region.quench('show', dispatchId.slice(0, 8))
      expect(shown.out).toContain(`result    ${dispatch.resultUri}`)
      const { out } = await region.quench('events', dispatchId.slice(0, 8))
      expect(out.split('\n').at(0)).toContain('dispatch sum: 4 tasks')
      expect(out.split('\n').at(-2)).toContain('dispatch sum succeeded')
    })

    it('leaves with 1 when a task fails, and says which and why', async () => {
      const tasks = [
        aTask('batch', 'bad', 'exit 3'),
        aTask('ssh', 'worse', 'exit 4'),
        aTask('ssh', 'after', ':', ['bad']),
      ]
      const dispatchId = await region.dispatch({ name: 'failing', tasks })
      const { exitCode, out } = await region.quench('watch', dispatchId)
      expect(exitCode).toBe(1)
      expect(out).toMatch(/failing failed after .*: 2 failed, 1 skipped\n {2}bad: .*\n {2}worse: exit code 4\n$/)
    })

    it('previews, cancels a part, then the rest, and cancels twice without harm', async () => {
      const waiting = (executor: 'batch' | 'ssh', name: string) => aTask(executor, name, waitingScript(region, name))
      const dispatchId = await region.dispatch({
        name: 'stopped',
        tasks: [waiting('batch', 'left'), aTask('ssh', 'behind', ':', ['left']), waiting('ssh', 'right')],
      })
      await until('both jobs run', async () => (await region.show(dispatchId)).dispatch.tasks.running === 2)
      const id = dispatchId.slice(0, 8)

      const preview = await region.quench('cancel', id, '--dry-run')
      const counts = 'stopping 2 jobs (batch 1, ssh 1), abandoning 1 task; 0 finished already'
      expect(preview).toMatchObject({ exitCode: 0, out: `To cancel dispatch ${dispatchId}: ${counts}.\n` })
      expect((await region.show(dispatchId)).dispatch).toMatchObject({ state: 'running', cancellations: [] })

      const part = await region.quench('cancel', id, '--tasks', 'left', '--grace', '1', '--wait')
      expect(part.exitCode).toBe(0)
      expect(part.out).toContain('batch  requested 1  confirmed 1  unconfirmed 0\n1 task abandoned\n')
      expect((await region.show(dispatchId)).dispatch.tasks).toEqual({ cancelled: 2, running: 1 })

      const twice = ['cancel', dispatchId, '--yes', '--wait', '--grace', '1', '--reason', 'enough']
      const both = await Promise.all([region.quench(...twice), region.quench(...twice)])
      expect(both.map(({ exitCode, error }) => [exitCode, error])).toEqual([
        [0, ''],
        [0, ''],
      ])
      expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 1 })
      expect((await region.show(dispatchId)).dispatch).toMatchObject({ state: 'cancelled', tasks: { cancelled: 3 } })
      expect(await region.liveTasks(dispatchId)).toEqual([])

      const late = await region.quench('cancel', id)
      const sentence = `Nothing to cancel: every task of dispatch ${dispatchId} had finished already.\n`
      expect(late).toEqual({ exitCode: 0, out: sentence, error: '' })
    })

    it('cancels what it has dispatched a moment ago', async () => {
      const tasks = ['batch', 'ssh', 'batch', 'ssh'].map((executor, n) =>
        aTask(executor as 'batch' | 'ssh', `task-${n}`, 'setsid sleep 600 & sleep 600'),
      )
      const dispatchId = await region.dispatch({ name: 'hasty', tasks })
      expect(await region.quench('cancel', dispatchId, '--yes', '--force', '--wait')).toMatchObject({ exitCode: 0 })
      expect(await region.liveTasks(dispatchId)).toEqual([])
      expect((await region.show(dispatchId)).dispatch.tasks).toEqual({ cancelled: 4 })
    })

    it('speaks JSON', async () => {
      const dispatchId = await region.dispatch({
        name: 'json',
        tasks: [aTask('batch', 'only', waitingScript(region, 'only'))],
      })
      const json = async (...args: string[]) => {
        const { out } = await region.quench(...args, '--json')
        return out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      }
      await until('the job runs', async () => (await region.show(dispatchId)).dispatch.tasks.running === 1)
      const [rows] = await json('ls', '--status', 'running')
      const row = { dispatchId, name: 'json', state: 'running', taskCount: 1 }
      expect(rows).toContainEqual(expect.objectContaining(row))
      const [answer, view] = await json('cancel', dispatchId, '--yes', '--grace', '1', '--wait')
      expect(answer).toMatchObject({ dispatchId, scope: 'dispatch', counts: { stopping: 1, backends: { batch: 1 } } })
      expect(view).toMatchObject({ cancellationId: answer.cancellationId, state: 'confirmed' })
      expect((await json('watch', dispatchId)).at(-1)).toMatchObject({ type: 'dispatch', state: 'cancelled' })
      expect((await json('events', dispatchId))[0]).toMatchObject({ lines: ['dispatch json: 1 tasks'] })
      const [shown] = await json('show', dispatchId)
      expect(shown).toMatchObject({ dispatch: { state: 'cancelled' }, tasks: [{ name: 'only', state: 'cancelled' }] })
    })

    it.each([
      { args: ['show', unknownId], says: unknownId },
      { args: ['cancel', unknownId, '--grace', '3', '--force'], says: "'--force' cannot be used with option '--grace" },
      { args: ['dispatch', 'nowhere.json'], says: 'nowhere.json cannot be read: there is no such file.' },
      { args: ['up', '--data', '/dev/null'], says: '--data /dev/null cannot be used: ENOTDIR: not a directory.' },
      { args: ['up', '--data', '/proc/quench/data'], says: '--data /proc/quench/data cannot be used: ENOENT' },
      { args: ['up', '--prices', 'nowhere.json'], says: 'nowhere.json cannot be read: there is no such file.' },
      { args: ['up', '--prices', 'package.json'], says: 'package.json does not hold valid prices:' },
      { args: ['up', '--data', '/sys'], says: '--data /sys cannot be used: E' },
      { args: ['up', '--port', '70000'], says: 'whole number from 0 to 65535' },
    ])('refuses quench $args with exit code 2', async ({ args, says }) => {
      const { exitCode, out, error } = await region.quench(...args)
      expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
      expect(error).toContain(says)
    })

    it('does not start a second server on the same folder or the same port', async () => {
      await expect(quenchUp(['--data', region.directory])).rejects.toThrow(
        `quench up ended with 2: quench: Another server uses ${region.directory}. Stop it, or choose another folder.`,
      )
      const port = new URL(region.url).port
      const other = await mkdtemp(join(tmpdir(), 'quench-e2e-'))
      await expect(quenchUp(['--data', other, '--port', port])).rejects.toThrow(
        `quench up ended with 2: quench: Port ${port} is taken. Choose another: --port N, 0 for any.`,
      )
      await rm(other, { recursive: true })
      expect(await region.quench('ls')).toMatchObject({ exitCode: 0 })
    })
    it('estimates π as examples/pi.json', async () => {
      const pi = fileURLToPath(new URL('../../examples/pi.json', import.meta.url))
      const { exitCode, out } = await region.quench('dispatch', pi, '--watch')
      expect(exitCode).toBe(0)
      const { dispatch } = await region.show(out.split('\n')[0] ?? '')
      expect(region.result(dispatch.resultUri)).toContain('PASS: the estimate is within 5 standard errors of π')
    })
  })
})

describe.concurrent('quench without a server', () => {
  it('says so when nobody listens', async () => {
    const url = await anUnusedUrl()
    expect(await quench(['ls'], { url })).toEqual({
      exitCode: 3,
      out: '',
      error: `quench: No Quench server answers at ${url}. Start one with "quench up", or set QUENCH_URL.\n`,
    })
  })

  it('says so when the server goes away while it watches', async () => {
    await using region = await aRegion()
    const dispatchId = await region.dispatch({ name: 'left', tasks: [aTask('ssh', 'a', waitingScript(region, 'a'))] })
    const watching = region.quench('watch', dispatchId)
    await until('the job runs', () => region.lines('ran-a').length > 0)
    await region.down('SIGKILL')
    expect(await watching).toMatchObject({ exitCode: 3, error: expect.stringContaining('No Quench server answers at') })
    await release(region, 'a')
    await until('the job has ended', async () => (await region.liveTasks(dispatchId)).length === 0)
  })
})
