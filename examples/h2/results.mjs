import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export async function readResult(uri) {
  return JSON.parse(await readFile(fileURLToPath(uri), 'utf8'))
}

/** The address where this task leaves its result. */
export const resultUri = process.env.QUENCH_RESULT ?? ''

export async function writeResult(result) {
  const text = typeof result === 'string' ? result : JSON.stringify(result)
  await writeFile(fileURLToPath(resultUri), text)
}

/** Addresses of results by the names of the tasks that this one needs: where there are many, they are in a file. */
export const inputs = process.env.QUENCH_INPUTS_URI
  ? await readResult(process.env.QUENCH_INPUTS_URI)
  : JSON.parse(process.env.QUENCH_INPUTS ?? '{}')

/** The Hamiltonian of the two electrons, in hartree, its source, and what is known about it. */
export const molecule = await readResult(pathToFileURL(join(import.meta.dirname, 'molecule.json')))
