import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { Conflict } from '../domain/errors.ts'

export interface FolderLock {
  release(): Promise<void>
}

/**
 * Claim a folder for this process, until it is released or the process ends, however it ends.
 *
 * The lock is a socket's name in Linux's abstract namespace, so there is no file that a `kill -9` could leave. It binds the
 * processes of one machine, and of one container.
 * Errors: Conflict when another process has it.
 * Source: unix(7), "Abstract sockets".
 */
export async function lockFolder(directory: string): Promise<FolderLock> {
  const digest = createHash('sha256')
    .update(await realpath(directory))
    .digest('hex')
  const socket = createServer()
  await new Promise<void>((resolve, reject) => {
    socket.once('listening', resolve)
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE'
      reject(isTaken ? new Conflict(`Another server uses ${directory}. Stop it, or choose another folder.`) : error)
    })
    socket.listen(`\0quench-${digest}`)
  })
  socket.unref()
  return { release: () => new Promise((resolve) => socket.close(() => resolve())) }
}
