import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export async function readResult(uri) {
  return JSON.parse(await readFile(fileURLToPath(uri), 'utf8'))
}

export async function writeResult(result) {
  await writeFile(fileURLToPath(process.env.QUENCH_RESULT), JSON.stringify(result))
}

/** Addresses of results by the names of the tasks that this one needs: where there are many, they are in a file. */
export const inputs = process.env.QUENCH_INPUTS_URI
  ? await readResult(process.env.QUENCH_INPUTS_URI)
  : JSON.parse(process.env.QUENCH_INPUTS ?? '{}')
