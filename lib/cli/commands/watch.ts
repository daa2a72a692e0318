import { watchDispatch } from '../follow/watch-dispatch.ts'
import type { AddCommand } from '../session.ts'

/** `quench watch` */
export const addWatch: AddCommand = (program, run) => {
  program
    .command('watch')
    .description('follow a dispatch until it has ended; ctrl-C stops watching, not the dispatch')
    .argument('<id>', 'dispatch')
    .action(run(watchDispatch))
}
