import type { TaskView } from '../../schema/api.ts'
import type { TaskRow } from '../render/tasks.ts'
import { plural } from '../render/text.ts'
import type { ReadSnapshot } from './snapshot-reader.ts'

/** What one look reads at most: dispatches inside, those that run first, and tasks of each. */
const maxChildren = 20
const maxTasksOfChild = 100

interface Folded {
  readonly rows: readonly TaskRow[]
  /** What has been left out. */
  readonly notes: readonly string[]
}

/** The tasks of a dispatch, each sublattice followed by the tasks of the dispatch behind it, at any depth. */
export async function foldChildren(tasks: readonly TaskView[], read: ReadSnapshot): Promise<Folded> {
  const notes: string[] = []
  let left = maxChildren
  let omitted = 0

  const fold = async (some: readonly TaskView[], parent?: TaskRow): Promise<TaskRow[]> => {
    const children = childrenOf(some)
    const shown = new Set(children.slice(0, left))
    left -= shown.size
    omitted += children.length - shown.size
    const rows = await Promise.all(
      some.map(async (task) => {
        const row = parent ? rowInside(parent, task) : task
        if (task.childId === undefined || !shown.has(task.childId)) return [row]
        const child = await read(task.childId, maxTasksOfChild)
        const more = child.dispatch.taskCount - child.tasks.length
        if (more > 0) notes.push(`${plural(more, 'more task')} of ${row.name}: quench show ${task.childId}`)
        return [row, ...(await fold(child.tasks, row))]
      }),
    )
    return rows.flat()
  }

  const rows = await fold(tasks)
  return { rows, notes: omitted > 0 ? [...notes, `the tasks of ${omitted} more dispatches inside`] : notes }
}

function rowInside(parent: TaskRow, task: TaskView): TaskRow {
  return { ...task, name: `${parent.name}/${task.name}`, path: `${parent.path ?? parent.taskId}/${task.taskId}` }
}

/** The dispatches behind sublattices, those that have not ended first. */
function childrenOf(tasks: readonly TaskView[]): readonly string[] {
  const isOver = ({ endedAt }: TaskView) => Number(endedAt !== undefined)
  return tasks
    .filter(({ childId }) => childId !== undefined)
    .toSorted((a, b) => isOver(a) - isOver(b))
    .map(({ childId = '' }) => childId)
}
