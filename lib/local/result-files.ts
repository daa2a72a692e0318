import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type ResultFiles, tooLarge } from '../app/result-files.ts'
import { BackendRejected } from '../domain/errors.ts'

/** A graph or a program that a task has made: larger ones would not fit a request either. */
const maxTextBytes = 6 * 1024 * 1024

/** Results as the files that `file:` URIs name. */
export const localResultFiles: ResultFiles = {
  readResult: async (uri, limitBytes) => {
    const path = pathOf(uri)
    const found = await stat(path).catch(ifMissing)
    if (!found) return undefined
    // A pipe would be waited for.
    if (!found.isFile()) throw new BackendRejected(`what is at ${uri} is not a file`)
    if (found.size > limitBytes) throw tooLarge(uri, found.size, limitBytes)
    return readFile(path).catch(ifMissing)
  },

  writeText: async (uri, text) => {
    const path = pathOf(uri)
    const unfinished = `${path}.${randomUUID()}`
    try {
      await writeFile(unfinished, text)
      await rename(unfinished, path)
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  },
}

/** The text behind the URI of a result. Errors: BackendRejected where there is none. */
export async function readText(uri: string): Promise<string> {
  const bytes = await localResultFiles.readResult(uri, maxTextBytes)
  if (!bytes) throw new BackendRejected(`there is no text to read at ${uri}`)
  return new TextDecoder().decode(bytes)
}

function pathOf(uri: string): string {
  try {
    return fileURLToPath(uri)
  } catch (cause) {
    throw new BackendRejected(`${uri} is not the URI of a file`, { cause })
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
  return undefined
}
