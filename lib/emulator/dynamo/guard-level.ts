import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

type Callback = (error: Error | null, value?: unknown) => void

/** What of dynalite's LevelDB is used here. Source: dynalite 4, db/index.js, wrapWithCallbacks; classic-level's README. */
export interface Level {
  put(key: string, value: unknown, callback: Callback): void
  get(key: string, callback: Callback): void
  del(key: string, callback: Callback): void
  batch(operations: readonly object[], callback: Callback): void
  open(): Promise<void>
  /** `_original` is LevelDB's own; after dynalite's nothing can be opened again. */
  readonly close: { _original(): Promise<void> }
  compactRange(start: string, end: string): Promise<void>
}

/** What must be there before a database that could not be written is written again. */
const spaceBytes = 1024 * 1024
/** Between two tries to get it going again. */
const retryMs = 500
const probeKey = 'probe'

/**
 * Let errors of the database be answers instead of the end of the process, and let it recover from a full disk.
 *
 * dynalite throws what it does not know, in a callback of nobody's: with `statusCode` and `body` it is an answer, which the
 * SDK takes for an InternalServerError. A write that failed may have left half a record in LevelDB's log, behind which
 * later ones would be lost at the next start. So nothing more is written until there is space again and the log is a new
 * one: compaction of an empty range does that with what is in memory; where it cannot, the database is opened anew.
 */
export function guardLevel(db: Level, directory: string | undefined): void {
  const { put, get, del, batch } = db
  let broken: Error | undefined
  let repair: Promise<void> | undefined
  let nextTryAt = 0

  const tryWrite = () =>
    new Promise<void>((resolve, reject) => put.call(db, probeKey, 0, (error) => (error ? reject(error) : resolve())))

  const recover = async () => {
    nextTryAt = performance.now() + retryMs
    if (directory !== undefined) await needSpace(directory)
    await db.compactRange('', '').catch(() => undefined)
    await tryWrite().catch(async () => {
      await db.close._original()
      await db.open()
      await tryWrite()
    })
    broken = undefined
  }

  const write = (operation: (callback: Callback) => void, callback: Callback) => {
    const tell: Callback = (error, value) => {
      if (error) broken = error
      callback(error && asAnswer(error), value)
    }
    if (!broken) return operation(tell)
    const cause = broken
    if (!repair && performance.now() < nextTryAt) return void setImmediate(callback, asAnswer(cause))
    repair ??= recover().finally(() => {
      repair = undefined
    })
    repair.then(
      () => operation(tell),
      () => callback(asAnswer(cause)),
    )
  }

  db.put = (key, value, callback) => write((done) => put.call(db, key, value, done), callback)
  db.del = (key, callback) => write((done) => del.call(db, key, done), callback)
  db.batch = (operations, callback) => write((done) => batch.call(db, operations, done), callback)
  db.get = (key, callback) => get.call(db, key, (error, value) => callback(error && asAnswer(error), value))
}

/** Errors: what the file system says where there is too little. */
async function needSpace(directory: string): Promise<void> {
  const file = join(directory, 'space.probe')
  try {
    await writeFile(file, Buffer.alloc(spaceBytes, 1))
  } finally {
    await rm(file, { force: true })
  }
}

/** dynalite knows an item that is not there by its name. */
function asAnswer(error: Error): Error {
  if (error.name === 'NotFoundError' || 'notFound' in error) return error
  const body = { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message: error.message }
  return Object.assign(error, { statusCode: 500, body })
}
