import { readdir, readFile } from 'node:fs/promises'

interface MarkedProcess {
  readonly pid: number
  /** Of the dispatch that it works for; undefined for what serves no task. */
  readonly taskId?: number
}

/**
 * The processes of this machine whose environment holds `text`: a dispatch's id, or the folder of a region.
 *
 * Quench marks every job in its environment, which all children inherit and `setsid` does not shed. This looks with its
 * own eyes, and not with those that `quench` finds its jobs by. Zombies have no environment, so they are not listed.
 */
export async function findProcesses(text: string): Promise<MarkedProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const environments = await Promise.all(
    // Ended in between, or another user's.
    pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')),
  )
  return pids.flatMap((pid, index) => {
    const environment = environments[index] ?? ''
    if (!environment.includes(text)) return []
    const taskId = /\bquench-[0-9a-f-]{36}-(\d+)-\d+/.exec(environment)?.[1]
    return [{ pid: Number(pid), ...(taskId !== undefined && { taskId: Number(taskId) }) }]
  })
}
