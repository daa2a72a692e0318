import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** The address where this task leaves its result; what needs it is given the same address. */
export const resultUri = process.env.QUENCH_RESULT ?? ''

/** What a task that this one needs has left: its address comes from the command line, or from QUENCH_INPUTS. */
export async function readResult(uri) {
  return JSON.parse(await readFile(fileURLToPath(uri), 'utf8'))
}

/** Results by the names of the tasks that this one needs. */
export const inputs = JSON.parse(process.env.QUENCH_INPUTS ?? '{}')

export async function writeResult(text) {
  await writeFile(fileURLToPath(resultUri), text)
}
