import type { Dispatch } from '../domain/dispatch.ts'
import { isOfNewerDrive } from '../domain/redrive/older-drive.ts'
import type { TaskRun } from '../domain/task-run.ts'
import type { Store } from '../store/store.ts'

/**
 * The live tasks, for decisions about a dispatch that was read before.
 *
 * Claims that its META knows nothing of are left out: where a redrive has come between the two reads, they are of tasks which that
 * META still calls settled, or holds behind a fence that is gone. Whoever took them for its own would take them out of the live
 * index, or stop them.
 */
export async function readLiveOf(
  store: Pick<Store, 'readLive'>,
  dispatch: Pick<Dispatch, 'id' | 'redrives'>,
): Promise<readonly TaskRun[]> {
  const live = await store.readLive(dispatch.id)
  return live.filter((run) => !isOfNewerDrive(run, dispatch))
}
