import { open, stat, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Conflict, InvalidInput } from '../domain/errors.ts'

export interface FolderLock {
  release(): Promise<void>
}

/**
 * Claim a folder for this process, until it is released or the process ends, however it ends.
 *
 * Two sockets. The name of one, in Linux's abstract namespace, is the folder's device and inode, which a bind mount shares:
 * no file that a `kill -9` could leave decides. It binds the processes of one network namespace; for those of others, the
 * other is a file in the folder, at which somebody answers as long as its process lives.
 * Errors: Conflict when another process has it; InvalidInput where no socket can be made in the folder.
 * Source: unix(7), "Abstract sockets" and "Pathname sockets" (a path has 108 bytes, which is why it goes by /proc/self/fd).
 */
export async function lockFolder(directory: string): Promise<FolderLock> {
  const { dev, ino } = await stat(directory)
  const taken = () => new Conflict(`Another server uses ${directory}. Stop it, or choose another folder.`)
  const unusable = (error: unknown) => {
    const reason =
      error instanceof Error ? error.message.replace(/ \/proc\/self\/fd\/\d+/, ` ${directory}`) : String(error)
    return new InvalidInput(`${directory} cannot be claimed for a server: ${reason}.`, { cause: error })
  }
  const isTaken = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EADDRINUSE'

  const name = await listen(`\0quench-${dev}-${ino}`).catch((error: unknown) => {
    throw isTaken(error) ? taken() : unusable(error)
  })
  const folder = await open(directory)
  const path = join('/proc/self/fd', String(folder.fd), 'server.sock')
  const close = async (...sockets: readonly Server[]) => {
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.close(resolve))))
    await folder.close()
  }
  try {
    const file = await listen(path).catch(async (error: unknown) => {
      if (hasNoSockets(error)) return undefined
      if (!isTaken(error)) throw unusable(error)
      if (await answers(path)) throw taken()
      // Left by a process that was killed; nobody of this namespace is here at the same time.
      await unlink(path)
      return listen(path)
    })
    return { release: () => close(...(file ? [file] : []), name) }
  } catch (error) {
    await close(name)
    throw error
  }
}

/** Not every file system has them; then the folder is claimed in this namespace alone. */
function hasNoSockets(error: unknown): boolean {
  return ['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function listen(path: string): Promise<Server> {
  const socket = createServer((caller) => caller.destroy())
  socket.unref()
  return new Promise((resolve, reject) => {
    socket.once('listening', () => resolve(socket))
    socket.once('error', reject)
    socket.listen(path)
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
