import { writeFile } from 'node:fs/promises'
import { InvalidInput } from '../../domain/errors.ts'
import { findTask } from '../input/find-task.ts'
import { plural, printable } from '../render/text.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'

interface ResultOptions {
  readonly task?: string
  readonly out?: string
}

const helpText = `
The result of a dispatch is that of its post-processing task. With --json: where it is, its size, and its text (base64
where it is not UTF-8) unless it goes to a file.`

/** `quench result` */
export const addResult: AddCommand = (program, run) => {
  program
    .command('result')
    .description('what a dispatch, or one of its tasks, has left: its bytes as they are, to stdout')
    .argument('<id>', 'dispatch')
    .option('--task <task>', 'id or name; inner/work for a task of the dispatch behind task "inner"')
    .option('--out <file>', 'write it there')
    .addHelpText('after', helpText)
    .action(run(result))
}

async function result(session: Session, id: string, { task, out }: ResultOptions): Promise<ExitCode> {
  const { json, print, write } = session
  const client = session.client()
  const place = task === undefined ? undefined : await findTask(client, id, task)
  const { uri, bytes } = await client.result(place?.dispatchId ?? id, place?.taskId)
  if (out !== undefined) await save(out, bytes)
  const sizeBytes = bytes.length
  if (json) print(JSON.stringify({ uri, sizeBytes, ...(out === undefined ? contentOf(bytes) : { file: out }) }))
  else if (out === undefined) write(bytes)
  else print(`${out}: ${plural(sizeBytes, 'byte')} from ${printable(uri)}`)
  return exitCodes.ok
}

async function save(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(file, bytes)
  } catch (cause) {
    throw new InvalidInput(`${file} cannot be written: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

function contentOf(bytes: Uint8Array): { readonly text: string } | { readonly base64: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') }
  }
}
