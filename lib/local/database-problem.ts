import { Conflict, InvalidInput, type QuenchError } from '../domain/errors.ts'
import type { DatabaseUnusable } from '../emulator/dynamo/database-unusable.ts'

/** A process that an earlier server has started. */
export interface LeftProcess {
  readonly pid: number
}

const shownProcesses = 20

/** What to tell somebody whose server cannot take its database, and what goes on running meanwhile. */
export function databaseProblem(
  { reason, message }: DatabaseUnusable,
  directory: string,
  running: readonly LeftProcess[],
): QuenchError {
  switch (reason) {
    case 'locked':
      return new Conflict(
        `Another server uses the database in ${directory} (${message}). Stop it, or choose another folder.`,
      )
    case 'full':
      return new InvalidInput(
        `There is no space left for the database in ${directory}. Make room, then start again.${still(running)}`,
      )
    case 'lost':
    case 'damaged': {
      const what = reason === 'lost' ? 'is gone' : `cannot be read (${message})`
      const way = 'Put it back from a copy, or choose another folder with --data.'
      return new Conflict(
        `The database in ${directory} ${what}; a server on it would know of nothing. ${way}${still(running)}`,
      )
    }
    default:
      throw new Error(`unknown reason ${reason satisfies never}`)
  }
}

function still(running: readonly LeftProcess[]): string {
  if (running.length === 0) return ' Nothing of its jobs is running.'
  const pids = running.slice(0, shownProcesses).map(({ pid }) => pid)
  const more = running.length > pids.length ? `, and ${running.length - pids.length} more` : ''
  const since = running.length === 1 ? 'process of its jobs is' : 'processes of its jobs are'
  return ` ${running.length} ${since} running: ${pids.join(', ')}${more}.`
}
