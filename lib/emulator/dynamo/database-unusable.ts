/**
 * The database on disk cannot be taken. `locked`: another process has it. `full`: there is no space for it. `lost`: it was
 * here before, and now it, or its table, is not. `damaged`: what is there cannot be read.
 */
export class DatabaseUnusable extends Error {
  readonly reason: 'locked' | 'full' | 'lost' | 'damaged'

  constructor(reason: DatabaseUnusable['reason'], cause?: unknown) {
    super(cause instanceof Error ? cause.message : `the database is ${reason}`, { cause })
    this.name = 'DatabaseUnusable'
    this.reason = reason
  }
}

/** What an error of opening it means. Source: classic-level's README, error codes; LevelDB names the system's error. */
export function databaseUnusable(error: unknown): DatabaseUnusable {
  if (error instanceof DatabaseUnusable) return error
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code = '', message = '' } = cause as NodeJS.ErrnoException
  if (code === 'LEVEL_LOCKED' || /lock/i.test(message)) return new DatabaseUnusable('locked', cause)
  if (code === 'ENOSPC' || /No space left|ENOSPC|quota/i.test(message)) return new DatabaseUnusable('full', cause)
  return new DatabaseUnusable('damaged', cause)
}
