import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aRegion, aTask, type TestRegion, until } from './a-region.ts'

const task = aTask('batch', 'a', 'true')
const unknownId = '00000000-0000-8000-8000-000000000000'

describe('bad input to a server', () => {
  let region: TestRegion
  let dispatchId = ''
  beforeAll(async () => {
    region = await aRegion()
  })
  afterAll(() => region[Symbol.asyncDispose]())

  it.each([
    { what: 'malformed JSON', body: '{"name": "x",\n "tasks": [}', status: 400, says: 'line 2, column 12' },
    { what: 'an empty body', body: '', status: 400, says: 'it is empty' },
    { what: 'no graph at all', body: '[]', status: 400, says: 'expected object' },
    { what: 'a body of 6 MB', body: JSON.stringify({ pad: 'x'.repeat(6 << 20) }), status: 413, says: '6 MB' },
    {
      what: '10,001 tasks',
      body: graphOf(...manyTasks(10_001)),
      status: 400,
      says: 'at most 10000 tasks, this one has 10001',
    },
    { what: 'a wrong type', body: graphOf({ ...task, needs: 'b' }), status: 400, says: 'tasks[0].needs' },
    {
      what: 'an unknown executor',
      body: graphOf({ ...task, executor: 'cray' }),
      status: 400,
      says: '"cray" is no executor',
    },
    {
      what: 'an unknown host',
      body: graphOf({ ...aTask('ssh', 'a', 'true'), options: { host: 'lab-9', command: 'true' } }),
      status: 400,
      says: 'tasks[0].options.host',
    },
    { what: 'a need out of range', body: graphOf({ ...task, needs: [7] }), status: 400, says: 'there is no task 7' },
    {
      what: 'a cycle',
      body: graphOf({ ...task, needs: ['b'] }, { ...task, name: 'b', needs: ['a'] }),
      status: 400,
      says: 'a needs b needs a',
    },
    {
      what: 'an unknown option',
      body: graphOf({ ...task, options: { command: ['true'], vcpu: 1 } }),
      status: 400,
      says: 'vcpu',
    },
  ])('is refused: $what', async ({ body, status, says }) => {
    const answer = await region.call('/dispatches', { method: 'POST', body })
    expect(answer).toMatchObject({ status, body: { code: expect.any(String), message: expect.any(String) } })
    expect(JSON.stringify(answer.body).replaceAll('\\"', '"')).toContain(says)
  })

  it.each([
    { what: 'malformed JSON', stdin: '{', says: 'stdin is not JSON: line 1, column 2' },
    { what: '10,001 tasks', stdin: graphOf(...manyTasks(10_001)), says: 'tasks: a graph has at most 10000 tasks' },
    { what: 'a body of 6 MB', stdin: JSON.stringify({ pad: 'x'.repeat(6 << 20) }), says: 'larger than 6 MB' },
  ])('makes quench dispatch leave with 2: $what', async ({ stdin, says }) => {
    const { exitCode, out, error } = await region.pipe(stdin, 'dispatch', '-')
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(error).toContain(says)
  })

  it('has left nothing', async () => {
    expect(await region.quench('ls', '--json')).toMatchObject({ out: '[]\n' })
  })

  it.each([
    { what: 'malformed JSON', body: '{"taskIds": [0', status: 400, says: 'The body is not JSON' },
    {
      what: 'task ids out of range',
      body: '{"taskIds": [0, 9, 10]}',
      status: 400,
      says: 'there is no task 9: ids run from 0 to 1',
    },
    { what: 'a negative task id', body: '{"taskIds": [-1]}', status: 400, says: 'taskIds[0]' },
    { what: 'a task id of a wrong type', body: '{"taskIds": ["0"]}', status: 400, says: 'taskIds[0]' },
    { what: 'no task at all', body: '{"taskIds": []}', status: 400, says: 'taskIds' },
    { what: 'an unknown mode', body: '{"mode": "gently"}', status: 400, says: 'mode' },
    { what: 'an endless grace', body: '{"graceSeconds": 301}', status: 400, says: 'graceSeconds' },
    { what: 'an unknown field', body: '{"tasks": [0]}', status: 400, says: 'tasks' },
  ])('cancels nothing: $what', async ({ body, status, says }) => {
    dispatchId ||= await startDispatch()
    const before = await stateOf(dispatchId)
    const answer = await region.call(`/dispatches/${dispatchId}/cancellations`, { method: 'POST', body })
    expect(answer.status).toBe(status)
    expect(JSON.stringify(answer.body)).toContain(says)
    expect(await stateOf(dispatchId)).toEqual(before)
  })

  it('is told from a typing error by quench cancel, with exit code 2', async () => {
    const before = await stateOf(dispatchId)
    const unknown = await region.quench('cancel', unknownId, '--yes')
    expect(unknown).toMatchObject({ exitCode: 2, out: '', error: expect.stringContaining(unknownId) })
    const outOfRange = await region.quench('cancel', dispatchId, '--tasks', '0,7')
    expect(outOfRange).toMatchObject({ exitCode: 2, error: expect.stringContaining('there is no task 7') })
    const misspelt = await region.quench('cancel', dispatchId, '--tasks', 'runing')
    expect(misspelt).toMatchObject({ exitCode: 2, error: expect.stringContaining('is called "runing"') })
    expect(await stateOf(dispatchId)).toEqual(before)
  })

  it('is a 404 for a dispatch or a path that is not there', async () => {
    const cancelled = await region.call(`/dispatches/${unknownId}/cancellations`, { method: 'POST', body: '{}' })
    expect(cancelled).toMatchObject({ status: 404, body: { message: expect.stringContaining(unknownId) } })
    expect(await region.call('/dispatch')).toMatchObject({ status: 404, body: { code: 'NotFound' } })
  })

  async function startDispatch(): Promise<string> {
    const tasks = [aTask('batch', 'running', 'sleep 600'), aTask('ssh', 'behind', ':', ['running'])]
    const id = await region.dispatch({ name: 'untouched', tasks })
    await until('it runs', async () => (await region.show(id)).dispatch.tasks.running === 1)
    return id
  }

  async function stateOf(id: string) {
    const { dispatch, tasks } = await region.show(id)
    return { dispatch, tasks, events: await region.events(id), live: await region.liveTasks(id) }
  }
})

function graphOf(...tasks: readonly object[]): string {
  return JSON.stringify({ name: 'bad', tasks })
}

function manyTasks(count: number): object[] {
  return Array.from({ length: count }, (_, n) => ({ ...task, name: `t${n}` }))
}
