import type { QuenchClient } from '../../client/client.ts'
import { InvalidInput } from '../../domain/errors.ts'
import type { TaskView } from '../../schema/api.ts'

interface TaskPlace {
  readonly dispatchId: string
  readonly taskId: number
}

/**
 * The task that somebody means by `3`, `split`, or, in the dispatch behind a sublattice, `inner/work`.
 *
 * Errors: InvalidInput where there is none.
 */
export async function findTask(client: QuenchClient, dispatchId: string, path: string): Promise<TaskPlace> {
  const [piece = '', ...rest] = path.split('/')
  if (rest.length === 0 && isId(piece)) return { dispatchId, taskId: Number(piece) }
  const task = await lookUp(client, dispatchId, piece)
  if (rest.length === 0) return { dispatchId, taskId: task.taskId }
  if (task.childId === undefined)
    throw new InvalidInput(`Task ${task.name} of dispatch ${dispatchId} has no tasks inside.`)
  return findTask(client, task.childId, rest.join('/'))
}

async function lookUp(client: QuenchClient, dispatchId: string, piece: string): Promise<TaskView> {
  for await (const task of client.tasks(dispatchId)) {
    if (isId(piece) ? task.taskId === Number(piece) : task.name === piece) return task
  }
  throw new InvalidInput(`No task of dispatch ${dispatchId} is called "${piece}".`)
}

/** A whole number is an id, never a name. */
function isId(piece: string): boolean {
  return /^\d+$/.test(piece)
}
