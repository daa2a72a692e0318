import { resolveTasks } from '../input/resolve-tasks.ts'
import { plural } from '../render/text.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'

interface GiveUpOptions {
  readonly tasks?: string
  readonly reason: string
  readonly yes?: boolean
}

const helpText = `
For tasks that are unconfirmed: they were asked to stop more than 15 minutes ago, and their back end has not said that they
have, since it is away or gone. They are asked once more, and then settled as cancelled. Their jobs may still run, and
nobody looks after them any more.`

/** `quench give-up` */
export const addGiveUp: AddCommand = (program, run) => {
  program
    .command('give-up')
    .description('wait no longer for jobs whose end nobody confirms')
    .argument('<id>', 'dispatch')
    .option('--tasks <list>', 'only these, ids or names: 1,3,reduce')
    .requiredOption('--reason <text>', 'goes on record')
    .option('--yes', 'do not ask')
    .addHelpText('after', helpText)
    .action(run(giveUp))
}

async function giveUp(session: Session, id: string, { tasks, reason, yes }: GiveUpOptions): Promise<ExitCode> {
  const { json, print } = session
  const client = session.client()
  const taskIds = tasks === undefined ? undefined : await resolveTasks(client, id, tasks)
  const question = `Settle the unconfirmed tasks of dispatch ${id}, whose jobs may still run?`
  if (!yes && session.ask && !(await session.ask(question))) {
    session.printError('Nothing was given up.')
    return exitCodes.unsuccessful
  }
  const answer = await client.giveUp(id, { reason, ...(taskIds && { taskIds }) })
  if (json) print(JSON.stringify(answer))
  else {
    print(`Gave up ${plural(answer.tasks.length, 'job')} of dispatch ${answer.dispatchId}, which may still run:`)
    for (const { name, executor, handle } of answer.tasks)
      print(`  ${name}  ${executor}  ${JSON.stringify(handle ?? {})}`)
  }
  return exitCodes.ok
}
