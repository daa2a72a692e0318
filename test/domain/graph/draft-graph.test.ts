import { describe, expect, test } from 'vitest'
import type { Problem } from '../../../lib/domain/errors.ts'
import { type DraftGraph, referencedTasks, resolveGraph } from '../../../lib/domain/graph/draft-graph.ts'
import type { Graph } from '../../../lib/domain/graph/graph.ts'

type DraftTask = DraftGraph['tasks'][number]

const executors = ['batch', 'ssh']

/** A draft whose tasks are named a, b, c … */
function aDraft(tasks: readonly Partial<DraftTask>[], rest: Partial<DraftGraph> = {}): DraftGraph {
  return {
    name: 'a graph',
    tags: {},
    defaults: {},
    tasks: tasks.map((task, index) => ({
      name: String.fromCharCode(97 + (index % 26)) + (index < 26 ? '' : index),
      needs: [],
      executor: 'batch',
      options: {},
      postProcess: false,
      ...task,
    })),
    ...rest,
  }
}

function problemsOf(draft: DraftGraph): readonly Problem[] {
  const result = resolveGraph(draft, executors)
  return result.problems
}

function graphOf(draft: DraftGraph): Graph {
  const result = resolveGraph(draft, executors)
  if (!result.graph || result.problems.length > 0) throw new Error(JSON.stringify(result.problems))
  return result.graph
}

describe('a valid draft', () => {
  test('has its needs resolved, by name and by id, each once', () => {
    const graph = graphOf(aDraft([{}, { needs: ['a'] }, { needs: [1, 'a', 'b', 0] }]))
    expect(graph.tasks.map(({ needs }) => needs)).toEqual([[], [0], [1, 0]])
  })

  test('may need tasks that come after it', () => {
    expect(graphOf(aDraft([{ needs: ['b'] }, {}])).tasks[0]?.needs).toEqual([1])
  })

  test("has its executor's defaults under its own options", () => {
    const defaults = { batch: { jobQueue: 'slow', vcpus: 2 }, ssh: { host: 'lab-1' } }
    const graph = graphOf(aDraft([{ options: { jobQueue: 'fast' } }, { executor: 'ssh' }], { defaults }))
    expect(graph.tasks.map(({ options }) => options)).toEqual([{ jobQueue: 'fast', vcpus: 2 }, { host: 'lab-1' }])
  })

  test('keeps what is given of it, and no more', () => {
    const draft = aDraft(
      [
        { id: 0, timeoutSeconds: 5, retry: { attempts: 2 } },
        { id: 1, pack: 'P' },
        { postProcess: true, needs: ['a'] },
      ],
      { tags: { project: 'h2' }, budget: { limitUsd: 5 }, timeoutSeconds: 90 },
    )
    const task = { needs: [], executor: 'batch', options: {} }
    expect(graphOf(draft)).toEqual({
      name: 'a graph',
      tags: { project: 'h2' },
      budget: { limitUsd: 5 },
      timeoutSeconds: 90,
      tasks: [
        { ...task, id: 0, name: 'a', timeoutSeconds: 5, retry: { attempts: 2 } },
        { ...task, id: 1, name: 'b', pack: 'P' },
        { ...task, id: 2, name: 'c', needs: [0], postProcess: true },
      ],
    })
  })
})

test.each<[string, DraftGraph, Problem]>([
  [
    'a need that names nothing',
    aDraft([{}, { needs: ['a', 'nobody'] }]),
    { path: 'tasks[1].needs[1]', message: '"nobody" names no task of this graph' },
  ],
  [
    'a need beyond the last task',
    aDraft([{}, { needs: [2] }]),
    { path: 'tasks[1].needs[0]', message: 'there is no task 2: ids run from 0 to 1' },
  ],
  [
    'a task that needs itself by name',
    aDraft([{ needs: ['a'] }]),
    { path: 'tasks[0].needs[0]', message: '"a" needs itself' },
  ],
  [
    'a task that needs itself by id',
    aDraft([{}, { needs: [1] }]),
    { path: 'tasks[1].needs[0]', message: '"b" needs itself' },
  ],
  [
    'a name that is taken',
    aDraft([{}, {}, { name: 'a' }]),
    { path: 'tasks[2].name', message: '"a" is the name of tasks[0] already' },
  ],
  [
    'an id that is no position',
    aDraft([{ id: 0 }, { id: 5 }]),
    { path: 'tasks[1].id', message: 'ids are positions: this task is 1, not 5' },
  ],
  [
    'a cycle, named by its path',
    aDraft([{}, { needs: ['a', 'd'] }, { needs: ['b'] }, { needs: ['c'] }]),
    { path: 'tasks[1].needs', message: 'tasks wait for each other: b needs d needs c needs b' },
  ],
  [
    'a second post-processing task',
    aDraft([{ postProcess: true }, {}, { postProcess: true }]),
    { path: 'tasks[2].postProcess', message: 'a graph has one post-processing task, and tasks[0] is it already' },
  ],
  [
    'a need for the post-processing task',
    aDraft([{ postProcess: true }, { needs: ['a'] }]),
    { path: 'tasks[1].needs[0]', message: '"a" is the post-processing task and runs last' },
  ],
  [
    'an executor that is not there',
    aDraft([{ executor: 'dask' }]),
    { path: 'tasks[0].executor', message: '"dask" is no executor; there are: batch, ssh' },
  ],
  [
    'defaults for an executor that is not there',
    aDraft([{}], { defaults: { dask: {} } }),
    { path: 'defaults.dask', message: '"dask" is no executor; there are: batch, ssh' },
  ],
  [
    'options above 64 KB in UTF-8, defaults included',
    aDraft([{ options: { x: 'é'.repeat(20_000) } }], { defaults: { batch: { y: 'y'.repeat(26_000) } } }),
    { path: 'tasks[0].options', message: 'at most 64 KB of options a task; give larger things by URI' },
  ],
  [
    'more than 50 tags',
    aDraft([{}], { tags: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`tag-${n}`, ''])) }),
    { path: 'tags', message: 'at most 50 tags' },
  ],
  [
    'a reference to a task that is not there',
    aDraft([{ options: { command: ['cat', '${tasks.nobody.result}'] } }]),
    { path: 'tasks[0].options', message: '"${tasks.nobody.result}" names no task of this graph' },
  ],
  [
    'a reference to a task that is not waited for',
    aDraft([{}, { needs: ['a'] }, { needs: ['b'], options: { of: '${tasks.a.result}' } }]),
    { path: 'tasks[2].options', message: '"${tasks.a.result}" needs "a" in needs' },
  ],
  [
    'a reference of a task to itself',
    aDraft([{ options: { of: '${tasks.a.result}' } }]),
    { path: 'tasks[0].options', message: '"${tasks.a.result}" is the result of this task itself' },
  ],
  [
    'a reference of the post-processing task to itself',
    aDraft([{}, { postProcess: true, options: { of: '${tasks.b.result}' } }]),
    { path: 'tasks[1].options', message: '"${tasks.b.result}" is the result of this task itself' },
  ],
])('a draft is refused for %s', (_, draft, problem) => {
  expect(problemsOf(draft)).toEqual([problem])
})

test('a task whose name is taken still means itself by it', () => {
  expect(problemsOf(aDraft([{}, { name: 'a', needs: ['a'] }]))).toContainEqual({
    path: 'tasks[1].needs[0]',
    message: '"a" needs itself',
  })
})

test('every problem is reported at once', () => {
  const tasks = [
    { needs: ['b', 'nobody'], executor: 'dask' },
    { needs: ['a'], id: 7 },
    { name: 'a', needs: [9] },
  ]
  expect(problemsOf(aDraft(tasks, { defaults: { slurm: {} } })).map(({ path }) => path)).toEqual([
    'defaults.slurm',
    'tasks[1].id',
    'tasks[2].name',
    'tasks[0].needs[1]',
    'tasks[2].needs[0]',
    'tasks[0].needs',
    'tasks[0].executor',
  ])
})

test('cycles that hang on each other are all named', () => {
  const tasks = [{ needs: ['b'] }, { needs: ['a'] }, { needs: ['a', 'd'] }, { needs: ['c'] }]
  expect(problemsOf(aDraft(tasks)).map(({ message }) => message)).toEqual([
    'tasks wait for each other: a needs b needs a',
    'tasks wait for each other: c needs d needs c',
  ])
})

test('a graph may have 10,000 tasks, and not one more', () => {
  const tasks = Array.from({ length: 10_000 }, () => ({}))
  expect(graphOf(aDraft(tasks)).tasks).toHaveLength(10_000)
  expect(problemsOf(aDraft([...tasks, {}]))).toEqual([
    { path: 'tasks', message: 'a graph has at most 10000 tasks, this one has 10001' },
  ])
})

test('exactly 64 KB of options and 50 tags are fine', () => {
  const options = { x: 'x'.repeat(64 * 1024 - '{"x":""}'.length) }
  const tags = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`tag-${n}`, '']))
  expect(problemsOf(aDraft([{ options }], { tags }))).toEqual([])
})

test('the post-processing task may refer to any other task', () => {
  expect(problemsOf(aDraft([{}, { postProcess: true, options: { of: '${tasks.a.result}' } }]))).toEqual([])
})

test.each<[string, readonly string[]]>([
  ['nothing here', []],
  ['${tasks.a.result}', ['a']],
  ['${tasks.a.result}/${tasks.b-1_x.result} ${tasks.a.result}', ['a', 'b-1_x']],
  ['${tasks.v1.2.result}', ['v1.2']],
  ['${tasks.x.result.result}', ['x.result']],
  ['${tasks..result} ${tasks.a.results} $tasks.a.result ${tasks.a b.result}', []],
])('the references in %j', (text, names) => {
  expect(referencedTasks(text)).toEqual(names)
})
