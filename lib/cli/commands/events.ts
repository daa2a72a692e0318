import { renderEvent } from '../render/event.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'

/** `quench events` */
export const addEvents: AddCommand = (program, run) => {
  program
    .command('events')
    .description('what happened to a dispatch, oldest first; with --json an object a line')
    .argument('<id>', 'dispatch')
    .action(run(events))
}

async function events({ client, json, print, paint }: Session, id: string): Promise<ExitCode> {
  for await (const event of client().events(id)) {
    if (json) print(JSON.stringify(event))
    else for (const line of renderEvent(event, paint)) print(line)
  }
  return exitCodes.ok
}
