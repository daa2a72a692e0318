import type { QuenchClient } from '../../client/client.ts'
import { hasEnded } from '../render/dispatches.ts'
import type { Snapshot } from '../render/watch.ts'
import { foldChildren } from './fold-children.ts'
import { pace } from './pace.ts'
import { createSnapshotReader } from './snapshot-reader.ts'

/**
 * A dispatch at every poll until it has ended; the last snapshot shows the end. `withChildren` folds in the tasks of the
 * dispatches inside.
 */
export async function* followDispatch(
  client: QuenchClient,
  dispatchId: string,
  { withChildren }: { readonly withChildren: boolean },
): AsyncIterable<Snapshot> {
  const read = createSnapshotReader(client)
  for (let polls = 0; ; polls += 1) {
    const { dispatch, tasks } = await read(dispatchId)
    yield { dispatch, tasks: withChildren ? (await foldChildren(tasks, read)).rows : tasks }
    if (hasEnded(dispatch.state)) return
    await pace(polls)
  }
}
