import type { DispatchState } from '../../schema/api.ts'
import { changedTasks, renderChange, renderEnd, renderFrame, type Snapshot } from '../render/watch.ts'
import { type ExitCode, exitCodes, type Session } from '../session.ts'
import type { Screen } from '../terminal.ts'
import { followDispatch } from './follow-dispatch.ts'

/** Show a dispatch until it has ended: drawn on a terminal, else a line a change. */
export async function watchDispatch(session: Session, dispatchId: string): Promise<ExitCode> {
  let before: Snapshot | undefined
  for await (const snapshot of followDispatch(session.client(), dispatchId, { withChildren: !session.json })) {
    if (session.json) printChangesAsJson(session, before, snapshot)
    else if (session.screen) drawFrame(session, session.screen, snapshot)
    else printChanges(session, before, snapshot)
    before = snapshot
  }
  if (before && !session.json) {
    for (const line of renderEnd(before, { paint: session.paint, now: Date.now() })) session.print(line)
  }
  return exitCodeOf(before?.dispatch.state)
}

function exitCodeOf(state: DispatchState | undefined): ExitCode {
  return state === 'succeeded' ? exitCodes.ok : exitCodes.unsuccessful
}

function drawFrame({ paint }: Session, screen: Screen, snapshot: Snapshot): void {
  const { columns, rows } = screen
  screen.draw(renderFrame(snapshot, { paint, now: Date.now(), columns, rows }))
}

function printChanges({ print, paint }: Session, before: Snapshot | undefined, { tasks }: Snapshot): void {
  for (const task of changedTasks(before?.tasks ?? [], tasks)) print(renderChange(task, { paint, now: Date.now() }))
}

/** A line for each task that has changed, and for the dispatch when its state has. */
function printChangesAsJson({ print }: Session, before: Snapshot | undefined, { dispatch, tasks }: Snapshot): void {
  for (const task of changedTasks(before?.tasks ?? [], tasks)) print(JSON.stringify({ type: 'task', ...task }))
  if (before?.dispatch.state !== dispatch.state) print(JSON.stringify({ type: 'dispatch', ...dispatch }))
}
