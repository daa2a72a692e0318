import type { Action } from '../../../lib/domain/turn/action.ts'
import type { GraphInput } from '../../../lib/schema/graph-file.ts'
import type { Rules } from './choices.ts'
import { childrenIn, type Earlier, prepare, rootIn } from './prepare.ts'
import type { Role } from './roles.ts'
import { begin } from './steps.ts'
import type { WorldState } from './world-state.ts'
import { graphIn } from './world-views.ts'

type TaskInput = GraphInput['tasks'][number]

const task = (name: string, executor: string, more: Partial<TaskInput> = {}): TaskInput => ({ name, executor, ...more })
const graphOf = (...tasks: TaskInput[]): GraphInput => ({ name: 'small', tasks })
const child = (name: string, executor: string): TaskInput =>
  task(name, 'sublattice', { options: { graph: { name: 'inside', tasks: [{ name: 'c', executor }] } } })

/** The worlds: one task or two. */
export const worlds = {
  'a Batch task': graphOf(task('a', 'batch')),
  'a Braket task': graphOf(task('a', 'braket')),
  'an SSH task': graphOf(task('a', 'ssh')),
  'two tasks': graphOf(task('a', 'batch'), task('b', 'ssh')),
  'a chain': graphOf(task('a', 'ssh'), task('b', 'batch', { needs: ['a'] })),
  'a pack on Batch': graphOf(task('a', 'batch', { pack: 'p' }), task('b', 'batch', { pack: 'p' })),
  'a pack on SSH': graphOf(task('a', 'ssh', { pack: 'p' }), task('b', 'ssh', { pack: 'p' })),
  'a child': graphOf(child('a', 'batch')),
  'a task and a child': graphOf(task('a', 'batch'), child('b', 'ssh')),
  'two children': graphOf(child('a', 'batch'), child('b', 'ssh')),
} satisfies Readonly<Record<string, GraphInput>>

export interface Storm {
  readonly earlier: readonly Earlier[]
  /** Who acts at once. */
  readonly roles: (before: WorldState) => readonly Role[]
  /** How many jobs may end by themselves meanwhile. */
  readonly endings?: number
}

const turn = (before: WorldState, by = 'loop'): Role => {
  const { id, epoch } = rootIn(before)
  return { is: 'turn', by, dispatchId: id, epoch }
}
const turnOfChild = (before: WorldState): readonly Role[] =>
  childrenIn(before).map(({ id, epoch }) => ({ is: 'turn', by: 'child', dispatchId: id, epoch }))
const cancel = (before: WorldState, taskIds?: readonly number[], by = 'user'): Role => ({
  is: 'canceller',
  by,
  dispatchId: rootIn(before).id,
  ...(taskIds && { taskIds }),
})
const redrive = (before: WorldState, force = false): Role => ({
  is: 'redriver',
  by: 'again',
  dispatchId: rootIn(before).id,
  force,
})
/** One action as a turn would plan it for a first attempt. */
const act = (before: WorldState, kind: Action['kind'], taskId: number): Role => {
  const { id } = rootIn(before)
  const executor = graphIn(before.table, id).tasks[taskId]?.executor ?? ''
  const action: Action = { kind, executor, epoch: 1, tasks: [{ taskId, attempt: 1 }] }
  return { is: 'act', by: `late ${kind}`, dispatchId: id, action }
}

const cancelled: Earlier = (before) => cancel(before)

export const storms = {
  'a start': { earlier: [], roles: (s) => [turn(s)] },
  'a start is cancelled': { earlier: [], roles: (s) => [turn(s), cancel(s)] },
  'a start is cancelled in part': { earlier: [], roles: (s) => [turn(s), cancel(s, [0])] },
  'two loops start it, and it is cancelled': { earlier: [], roles: (s) => [turn(s), turn(s, 'other'), cancel(s)] },
  'a start is cancelled twice': { earlier: [], roles: (s) => [turn(s), cancel(s), cancel(s, [0], 'another')] },
  'what runs is cancelled, and nobody else acts': { earlier: ['a round', 'a round'], roles: (s) => [cancel(s)] },
  'what runs is cancelled while it is polled and ends': {
    earlier: ['a round', 'time for a poll'],
    roles: (s) => [turn(s), ...turnOfChild(s), cancel(s)],
    endings: 1,
  },
  'what runs is cancelled in part while it is polled and ends': {
    earlier: ['a round', 'time for a poll'],
    roles: (s) => [turn(s), ...turnOfChild(s), cancel(s, [0])],
    endings: 1,
  },
  'a redrive meets a late cancel, an old turn and an old submit': {
    earlier: ['a round', cancelled, 'all have ended'],
    roles: (s) => [redrive(s), cancel(s), { ...turn(s), epoch: 1 } as Role, act(s, 'submit', 0)],
  },
  'what has just ended is settled and cancelled': {
    earlier: ['a round', 'the jobs end', 'time for a poll', (s) => act(s, 'poll', 0)],
    roles: (s) => [turn(s), cancel(s)],
  },
  'a cancel that is sent twice meets a turn and a redrive': {
    earlier: [],
    roles: (s) => [cancel(s, [0]), cancel(s, [0], 'user again'), { ...turn(s), isAlone: true }, redrive(s)],
  },
  'a redrive by force meets a turn of what is being stopped': {
    earlier: ['a round', cancelled],
    roles: (s) => [redrive(s, true), turn(s)],
    endings: 1,
  },
  'a redrive by force meets another cancel': {
    earlier: ['a round', cancelled],
    roles: (s) => [redrive(s, true), cancel(s, undefined, 'another')],
    endings: 1,
  },
  'a submit, a turn, a cancel, a poll and a redrive at once': {
    earlier: [(s) => act(s, 'submit', 0), 'time for a poll'],
    roles: (s) => [
      act(s, 'submit', rootIn(s).taskCount - 1),
      { ...turn(s), isAlone: true },
      cancel(s),
      act(s, 'poll', 0),
      redrive(s),
    ],
  },
  'a submit, a turn, a cancel in part, a poll and a redrive at once': {
    earlier: [(s) => act(s, 'submit', 0), 'time for a poll'],
    roles: (s) => [
      act(s, 'submit', rootIn(s).taskCount - 1),
      { ...turn(s), isAlone: true },
      cancel(s, [rootIn(s).taskCount - 1]),
      act(s, 'poll', 0),
      redrive(s),
    ],
  },
} satisfies Readonly<Record<string, Storm>>

export async function startOf(graph: GraphInput, storm: Storm, rules: Rules): Promise<WorldState> {
  const before = await prepare(graph, storm.earlier)
  const roles = storm.roles(before)
  const root = rootIn(before).id
  const keys = roles.filter(({ is }) => is === 'canceller').map(({ by }) => by?.split(' ')[0])
  // Only a redrive, or the same request once more, has to do with the record of another's cancellation.
  const isOwn = roles.every(({ is }) => is !== 'redriver') && new Set(keys).size === keys.length
  const ownRecords = isOwn ? [`DISPATCH#${root}`] : []
  return begin({ ...before, endings: storm.endings ?? 0, ownRecords }, roles, rules)
}
