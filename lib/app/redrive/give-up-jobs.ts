import { unconfirmedEnd } from '../../domain/redrive/given-up.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { chunkActions } from '../../domain/turn/action.ts'
import type { Snapshot } from '../../domain/turn/plan-turn.ts'
import { act } from '../act/act.ts'
import { timedOut } from '../act/note-observation.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { runTurn } from '../run-turn.ts'

/** The same as for the first kill pass of a cancel. */
const lastPassSeconds = 10
/** Lines in one item of the history, of which none may be larger than 400 KB. */
const linesAtOnce = 500

interface Decision {
  readonly actor: string
  /** Who or what did not wait, in the failure of the attempts. */
  readonly who: string
  /** For the last request to stop. */
  readonly reason: string
}

/**
 * Do not wait any longer for the jobs that cancellations have asked to stop: ask once more, note them as lost, and settle
 * their tasks by a turn. They may run on; on Batch the sweeper goes on stopping what no attempt waits for.
 *
 * The history comes first: it is the only place that names a handle once the next attempt has been claimed. When the
 * process dies after any step, the drain goes on, and settles as cancelled what is lost.
 */
export async function giveUpJobs(
  context: Context,
  { dispatch, graph }: Pick<Snapshot, 'dispatch' | 'graph'>,
  runs: readonly TaskRun[],
  { actor, who, reason }: Decision,
): Promise<void> {
  const { store, now, policy } = context
  const lines = runs.map(({ id, attempt, executor, handle }) => {
    const job = handle ? JSON.stringify(handle) : 'its submission has no end yet'
    return `${graph.tasks[id]?.name}: ${actor} does not wait for the end of attempt ${attempt} on ${executor}, which may still run: ${job}`
  })
  for (let at = 0; at < lines.length; at += linesAtOnce)
    await store.addHistory(dispatch.id, now(), lines.slice(at, at + linesAtOnce))

  const groups = [{ mode: 'force' as const, reason, graceSeconds: 0, runs: runs.filter(({ handle }) => handle) }]
  const actions = chunkActions({ graph, epoch: dispatch.epoch, policy }, groups)
  const pass = Promise.all(actions.map((action) => act(context, dispatch.id, action)))
  await Promise.race([pass, context.sleep(lastPassSeconds)])

  const lost = { state: 'lost', failure: unconfirmedEnd(who) } as const
  const late = { state: 'failed', failure: timedOut } as const
  // One that has ended meanwhile keeps its own end.
  await concurrently(context.concurrency, runs, ({ id, attempt, timedOutAt }) =>
    store.noteRun(
      dispatch.id,
      { taskId: id, attempt },
      { ...(timedOutAt === undefined ? lost : late), endedAt: now() },
    ),
  )
  await runTurn(context, dispatch.id, dispatch.epoch)
}
