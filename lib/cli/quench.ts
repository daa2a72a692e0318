#!/usr/bin/env node
import { runCli } from './run-cli.ts'
import { createTerminal } from './terminal.ts'

// `quench events … | head` closes the pipe early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli(process.argv.slice(2), createTerminal(process))
