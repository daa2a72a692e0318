import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Who writes into the heartbeat file of `runaway/runaway.sh`. */
const roles = ['main', 'fork', 'daemon'] as const

/** Lines so far in the heartbeat file of each task. 0: it has never run. */
export type Beats = ReadonlyMap<number, number>

interface Runaways {
  readonly directory: string
  readonly dispatchId: string
  readonly taskIds: readonly number[]
}

export async function countBeats(runaways: Runaways): Promise<Beats> {
  const counts = runaways.taskIds.map(async (id) => [id, (await readBeats(runaways, id)).length] as const)
  return new Map(await Promise.all(counts))
}

/** Does everything beat that a task has started: its main process, the fork, and the daemon? */
export async function allBeat(runaways: Runaways): Promise<boolean> {
  const files = await Promise.all(runaways.taskIds.map((id) => readBeats(runaways, id)))
  return files.every((beats) => roles.every((role) => beats.includes(role)))
}

/** The file is the task's result, in the region's folder. */
async function readBeats({ directory, dispatchId }: Runaways, taskId: number): Promise<readonly string[]> {
  const file = join(directory, 'results', `${dispatchId}-${taskId}-1`)
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
