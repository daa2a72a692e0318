import type { QuenchClient } from '../../client/client.ts'
import { InvalidInput } from '../../domain/errors.ts'
import { collect } from '../collect.ts'

/**
 * The task ids of `--tasks 1,3,reduce`: what is a whole number is an id, everything else is the name of a task.
 *
 * Errors: InvalidInput that names every bad piece.
 */
export async function resolveTasks(client: QuenchClient, dispatchId: string, list: string): Promise<number[]> {
  const pieces = list.split(',').map((piece) => piece.trim())
  if (pieces.includes('')) throw new InvalidInput(`--tasks "${list}": a task is missing between the commas.`)
  const ids = pieces.every(isId) ? new Map<string, number>() : await readNames(client, dispatchId)
  const unknown = pieces.filter((piece) => !isId(piece) && !ids.has(piece))
  if (unknown.length > 0) {
    const names = unknown.map((piece) => `"${piece}"`).join(', ')
    throw new InvalidInput(`--tasks: no task of dispatch ${dispatchId} is called ${names}.`)
  }
  return pieces.map((piece) => ids.get(piece) ?? Number(piece))
}

function isId(piece: string): boolean {
  return /^\d+$/.test(piece)
}

async function readNames(client: QuenchClient, dispatchId: string): Promise<Map<string, number>> {
  const tasks = await collect(client.tasks(dispatchId))
  return new Map(tasks.filter(({ name }) => !isId(name)).map(({ name, taskId }) => [name, taskId]))
}
