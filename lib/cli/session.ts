import type { Command } from 'commander'
import type { QuenchClient } from '../client/client.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with. */
export interface Session extends Terminal {
  readonly json: boolean
  /** Errors: InvalidInput where the address is none. */
  client(): QuenchClient
}

/** What `quench` leaves with; `quench --help` explains them. */
export const exitCodes = { ok: 0, unsuccessful: 1, badInput: 2, serverError: 3, forced: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Make a commander action of a command: it gets a session first, and its result becomes the exit code. */
export type Run = <Args extends unknown[]>(
  command: (session: Session, ...args: Args) => Promise<ExitCode>,
) => (...args: Args) => Promise<void>

/** Adds a command to the program. */
export type AddCommand = (program: Command, run: Run) => void
