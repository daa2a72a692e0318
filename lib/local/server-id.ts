import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'

/**
 * The id of the server on this folder: the same at every start. It names the server's cgroups, and every process that the
 * server starts carries it as `QUENCH_SERVER`, so that none outlives it unnoticed.
 *
 * Shape: 32 hexadecimal digits.
 */
export async function readServerId(file: string): Promise<string> {
  await writeFile(file, randomUUID().replaceAll('-', ''), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return readFile(file, 'utf8')
}
