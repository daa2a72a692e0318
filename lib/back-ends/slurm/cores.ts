/** Those options of a task that say how much it takes. */
export interface SlurmSize {
  readonly nodes?: number | string
  readonly ntasks?: number
  readonly cpusPerTask?: number
}

/**
 * How many cores a job asks for, at most.
 *
 * `ntasks` counts the tasks of the whole job; without it there is one a node. Of `2-4` nodes it may get four. Options in
 * `extra` are not read, nor is it known whether the site gives whole nodes.
 * Source: sbatch(1), --nodes, --ntasks, --cpus-per-task.
 */
export function slurmCores({ nodes = 1, ntasks, cpusPerTask = 1 }: SlurmSize): number {
  const counts = String(nodes).split('-').map(Number)
  return Math.max(ntasks ?? Math.max(...counts), Math.min(...counts)) * cpusPerTask
}
