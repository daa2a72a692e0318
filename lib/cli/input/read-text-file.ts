import { readFile } from 'node:fs/promises'
import { InvalidInput } from '../../domain/errors.ts'

/** The text of a file that the user has named. Errors: InvalidInput with the file and why. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? reasons[String(error.code)] : undefined
    throw new InvalidInput(`${path} cannot be read: ${reason ?? String(error)}.`, { cause: error })
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
}
