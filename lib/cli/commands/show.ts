import { foldChildren } from '../follow/fold-children.ts'
import { createSnapshotReader } from '../follow/snapshot-reader.ts'
import { renderDispatch } from '../render/dispatches.ts'
import { renderTasks } from '../render/tasks.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'

/** `quench show` */
export const addShow: AddCommand = (program, run) => {
  program
    .command('show')
    .description('a dispatch, its cancellations and its tasks, with those of the dispatches inside')
    .argument('<id>', 'dispatch')
    .action(run(show))
}

async function show({ client, json, print, paint, screen }: Session, id: string): Promise<ExitCode> {
  const read = createSnapshotReader(client())
  const { dispatch, tasks } = await read(id)
  if (json) {
    print(JSON.stringify({ dispatch, tasks }))
    return exitCodes.ok
  }
  const { rows, notes } = await foldChildren(tasks, read)
  const options = { paint, now: Date.now(), columns: screen?.columns }
  const unshown = notes.map((note) => paint('dim', `… and ${note}`))
  print([...renderDispatch(dispatch, options), '', ...renderTasks(rows, options), ...unshown].join('\n'))
  return exitCodes.ok
}
