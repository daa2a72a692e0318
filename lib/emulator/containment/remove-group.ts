import { readdirSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createPauses } from './pauses.ts'

/**
 * Remove a cgroup and those that were made below it. Says whether it is gone: one with processes is not.
 *
 * Once a group is gone, no shell can join it: this is what ends a job for good.
 */
export function removeGroup(path: string): boolean {
  for (const child of listGroups(path)) if (!removeGroup(join(path, child))) return false
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** Remove the group of a server, and the one above it, which all servers share, unless another one is in there. */
export async function removeServerGroup(path: string): Promise<void> {
  // For a moment after the last group below has gone, the one above is still busy. What holds something stays.
  const pauses = createPauses()
  for (let tries = 0; tries < 6 && !removeGroup(path) && listGroups(path).length === 0; tries++) await pauses.next()
  if (listGroups(dirname(path)).length === 0) removeGroup(dirname(path))
}

/** The groups below one. */
export function listGroups(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}
