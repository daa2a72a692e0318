import { readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

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

/** The groups below one. */
export function listGroups(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}
