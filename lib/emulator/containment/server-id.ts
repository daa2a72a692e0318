import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'

/** What a server on this folder calls its group among those of other servers on this machine. */
export function serverIdOf(directory: string): string {
  return createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32)
}
