import { dirname, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { QuenchApiError } from '../../client/errors.ts'
import { InvalidInput } from '../../domain/errors.ts'
import type { GraphInput } from '../../schema/graph-file.ts'
import { watchDispatch } from '../follow/watch-dispatch.ts'
import { loadGraph } from '../input/load-graph.ts'
import { readTextFile } from '../input/read-text-file.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'
import { parseUsd } from './parse-usd.ts'

const helpText = `
\${graphDir} in the strings of a task's options (and of "defaults") stands for the directory of the graph file,
or the current one for "-": { "command": ["node", "\${graphDir}/split.mjs"] }`

/** `quench dispatch` */
export const addDispatch: AddCommand = (program, run) => {
  program
    .command('dispatch')
    .description('run a graph; prints the id of its dispatch')
    .argument('<file>', 'graph as JSON; "-" reads stdin')
    .option('--watch', 'follow it until it has ended')
    .option('--budget <usd>', 'cancel it when about this much is spent; before the budget of the file', parseUsd)
    .option('--warn-at <usd>', 'say so in its history when about this much is spent', parseUsd)
    .addHelpText('after', helpText)
    .action(run(dispatch))
}

interface DispatchOptions {
  readonly watch?: boolean
  readonly budget?: number
  readonly warnAt?: number
}

async function dispatch(session: Session, path: string, options: DispatchOptions): Promise<ExitCode> {
  const { json, print } = session
  const file = path === '-' ? 'stdin' : path
  const directory = path === '-' ? process.cwd() : dirname(resolve(path))
  const graphText = await (path === '-' ? text(process.stdin) : readTextFile(path))
  const graph = withBudget(loadGraph(graphText, { file, directory }), options)
  const dispatchId = await submit(session, graph, file)

  if (json) print(JSON.stringify({ dispatchId }))
  else if (options.watch) print(dispatchId)
  else print([dispatchId, '', `  quench watch ${dispatchId}`, `  quench cancel ${dispatchId}`].join('\n'))
  return options.watch ? watchDispatch(session, dispatchId) : exitCodes.ok
}

/** Errors: InvalidInput where there is a warning and no limit. */
function withBudget(graph: unknown, { budget, warnAt }: DispatchOptions): unknown {
  if (budget === undefined && warnAt === undefined) return graph
  if (budget === undefined) throw new InvalidInput('--warn-at needs a limit: give --budget as well.')
  if (typeof graph !== 'object' || graph === null) return graph
  return { ...graph, budget: { limitUsd: budget, ...(warnAt !== undefined && { warnAtUsd: warnAt }) } }
}

/** The server checks all of the graph, so what is unchecked may go there. */
async function submit({ client }: Session, graph: unknown, file: string): Promise<string> {
  try {
    return await client().dispatch(graph as GraphInput)
  } catch (error) {
    if (!(error instanceof QuenchApiError) || error.status >= 500 || isAboutCaller(error)) throw error
    throw new QuenchApiError(error.status, { ...error, message: `${file}: ${error.message}` })
  }
}

function isAboutCaller({ status }: QuenchApiError): boolean {
  return status === 401 || status === 403
}
