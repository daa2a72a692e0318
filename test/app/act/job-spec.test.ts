import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobQuery, jobSpec } from '../../../lib/app/act/job-spec.ts'
import type { Context } from '../../../lib/app/context.ts'
import type { Task } from '../../../lib/domain/graph/graph.ts'
import type { LocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aDispatch, aGraph, someId, someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

interface Scene {
  readonly tasks: readonly Partial<Task>[]
  /** Which task the spec is for, and which attempt of it. */
  readonly of: number
  readonly attempt?: number
  /** The tasks that have run before, with the number of attempts each took. */
  readonly ran?: Readonly<Record<number, number>>
  readonly resultUri?: Context['resultUri']
}

async function specOf({ tasks, of, attempt = 1, ran = {}, resultUri }: Scene) {
  const { context, store } = anAppContext(dynamo)
  const graph = aGraph(tasks)
  const id = context.newId()
  await store.createDispatch(aDispatch({ id, taskCount: tasks.length }), graph)
  for (const [taskId, attempts] of Object.entries(ran))
    for (let n = 1; n <= attempts; n++) {
      const claim = { taskId: Number(taskId), attempt: n, claimId: `claim-${n}`, executor: 'batch', at: someTime }
      await store.claim(id, claim)
      await store.noteRun(id, claim, { state: n < attempts ? 'lost' : 'succeeded' })
    }
  const uriOf: Context['resultUri'] = (_, taskId, n) => `file:///results/${taskId}/${n}`
  const task = graph.tasks[of] as Task
  const written: Record<string, string> = {}
  const writeText: Context['writeText'] = async (uri, text) => {
    written[uri] = text
  }
  const job = await jobSpec({ store, resultUri: resultUri ?? uriOf, writeText }, id, graph, task, attempt)
  return { id, job, written, inputs: JSON.parse(job.environment.QUENCH_INPUTS ?? '{}') }
}

test('a job knows who it is, and where its result may go', async () => {
  const tasks = [{}, { timeoutSeconds: 60, options: { host: 'lab-1' } }]
  const { id, job } = await specOf({ tasks, of: 1, attempt: 2 })
  expect(job).toEqual({
    dispatchId: id,
    taskId: 1,
    attempt: 2,
    name: `quench-${id}-1-2`,
    options: { host: 'lab-1' },
    timeoutSeconds: 60,
    environment: {
      QUENCH_DISPATCH_ID: id,
      QUENCH_TASK_ID: '1',
      QUENCH_ATTEMPT: '2',
      QUENCH_JOB: `quench-${id}-1-2`,
      QUENCH_INPUTS: '{}',
      QUENCH_RESULT: 'file:///results/1/2',
    },
  })
})

test('what is looked for by name has the same name, and the options as they are', () => {
  const [task] = aGraph([{ options: { of: '${tasks.x.result}' } }]).tasks as [Task]
  expect(jobQuery(someId, task, 3)).toEqual({
    dispatchId: someId,
    taskId: 0,
    attempt: 3,
    name: `quench-${someId}-0-3`,
    options: { of: '${tasks.x.result}' },
  })
})

test('the inputs are the results of what a task needs, each of the attempt that made it', async () => {
  const tasks = [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { needs: [0, 2] }]
  const { inputs } = await specOf({ tasks, of: 3, ran: { 0: 1, 1: 1, 2: 3 } })
  expect(inputs).toEqual({ a: 'file:///results/0/1', c: 'file:///results/2/3' })
})

test('references are replaced wherever they stand in nested options, several in one text too', async () => {
  const options = {
    command: ['node', 'run.mjs', '${tasks.a.result}'],
    nested: { deep: [{ both: '--in=${tasks.a.result},${tasks.b.result} ${tasks.a.result}' }] },
    vcpus: 2,
    isOn: true,
    nothing: null,
    plain: '${tasks.nobody.result} $HOME',
  }
  const tasks = [{ name: 'a' }, { name: 'b' }, { needs: [0, 1], options }]
  const { job } = await specOf({ tasks, of: 2, ran: { 0: 1, 1: 1 } })
  expect(job.options).toEqual({
    ...options,
    command: ['node', 'run.mjs', 'file:///results/0/1'],
    nested: { deep: [{ both: '--in=file:///results/0/1,file:///results/1/1 file:///results/0/1' }] },
  })
})

test('a URI with a dollar in it is put in as it is', async () => {
  const tasks = [{ name: 'a' }, { needs: [0], options: { of: '${tasks.a.result}' } }]
  const { job } = await specOf({ tasks, of: 1, ran: { 0: 1 }, resultUri: () => "file:///$&/$'" })
  expect(job.options).toEqual({ of: "file:///$&/$'" })
})

test('post-processing that names its needs sees those, and may refer to any other task', async () => {
  const post = { postProcess: true, needs: [0], options: { of: '${tasks.b.result}' } }
  const tasks = [{ name: 'a' }, { name: 'b' }, post]
  const { job, inputs } = await specOf({ tasks, of: 2, ran: { 0: 1, 1: 1 } })
  expect(inputs).toEqual({ a: 'file:///results/0/1' })
  expect(job.options).toEqual({ of: 'file:///results/1/1' })
})

test('post-processing that names none sees what nothing else needs', async () => {
  const tasks = [{ name: 'a' }, { name: 'b', needs: [0] }, { name: 'c', needs: [0] }, { postProcess: true }]
  const { inputs } = await specOf({ tasks, of: 3, ran: { 0: 1, 1: 1, 2: 1 } })
  expect(inputs).toEqual({ b: 'file:///results/1/1', c: 'file:///results/2/1' })
})

test('inputs that are too long for a variable are in a file beside the result, and the variable says where', async () => {
  const needed = Array.from({ length: 60 }, (_, id) => ({ name: `part-${id}-${'x'.repeat(60)}` }))
  const tasks = [...needed, { needs: needed.map((_, id) => id) }]
  const ran = Object.fromEntries(needed.map((_, id) => [id, 1]))
  const { job, written } = await specOf({ tasks, of: 60, attempt: 2, ran })
  expect(job.environment).not.toHaveProperty('QUENCH_INPUTS')
  expect(job.environment.QUENCH_INPUTS_URI).toBe('file:///results/60/2-inputs.json')
  const inputs = JSON.parse(written['file:///results/60/2-inputs.json'] ?? '')
  expect(Object.keys(inputs)).toEqual(needed.map(({ name }) => name))
  expect(inputs[needed[7]?.name ?? '']).toBe('file:///results/7/1')
})

test('short inputs are in a variable, and nothing is written', async () => {
  const { job, written } = await specOf({ tasks: [{ name: 'a' }, { needs: [0] }], of: 1, ran: { 0: 1 } })
  expect(job.environment).not.toHaveProperty('QUENCH_INPUTS_URI')
  expect(written).toEqual({})
})
