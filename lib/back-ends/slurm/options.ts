import { z } from 'zod'
import { InvalidInput } from '../../domain/errors.ts'
import type { Executor } from '../executor.ts'
import { commandOptions } from '../run-command/command-options.ts'
import { maxScriptBytes, scriptBytes } from '../run-command/script-size.ts'
import { asUser } from './as-user.ts'
import { launchSlurmScript } from './launch.ts'

/** By name. */
export type Clusters = Readonly<Record<string, Cluster>>

interface Cluster {
  /** The login node. */
  readonly instanceId: string
  /** Whose jobs they are. Default: the agent's, root. */
  readonly user?: string
  /** What slurm.conf says. Default: Slurm's own, 1,001. */
  readonly maxArraySize?: number
}

/** Bytes of a launch kept free for the `QUENCH_…` variables, which are not known when a graph is checked. */
const reservedBytes = 8_000

/** Options of sbatch that are ours to give, or that would change what it prints. It takes any unique beginning of them. */
const ourOptions = [
  ...['array', 'chdir', 'clusters', 'error', 'export', 'export-file', 'gid', 'help', 'ignore-pbs', 'input', 'job-name'],
  ...['open-mode', 'output', 'parsable', 'quiet', 'test-only', 'uid', 'usage', 'verbose', 'version', 'wait', 'wrap'],
]

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
const value = z.string().regex(/^[^\0-\x1f]+$/, 'must be one line and not empty')
const count = z.int().positive()

const taskOptions = z.strictObject({
  cluster: z.string().exactOptional(),
  ...commandOptions,
  partition: value.exactOptional(),
  account: value.exactOptional(),
  qos: value.exactOptional(),
  gres: value.exactOptional(),
  time: z
    .union(
      [count, z.string().regex(/^(\d+(:\d{1,2}){0,2}|\d+-\d{1,2}(:\d{1,2}){0,2})$/)],
      'must be minutes, or Slurm’s MM:SS, HH:MM:SS or D-HH:MM:SS',
    )
    .exactOptional(),
  nodes: z.union([count, z.string().regex(/^\d+(-\d+)?$/)], 'must be a number, or least-most').exactOptional(),
  ntasks: count.exactOptional(),
  cpusPerTask: count.exactOptional(),
  mem: z
    .union([count, z.string().regex(/^\d+[KMGT]?$/i)], 'must be megabytes, or a number and K, M, G or T')
    .exactOptional(),
  extra: z
    .array(
      value
        .regex(/^--[a-z][a-z-]*(=|$)/i, 'must be --key or --key=value')
        .refine((option) => !isOurs(option), 'is for Quench to give'),
    )
    .exactOptional(),
})

export type TaskOptions = z.infer<typeof taskOptions>

function isOurs(option: string): boolean {
  const key = /^--([^=]+)/.exec(option)?.[1]
  return key !== undefined && ourOptions.some((ours) => ours.startsWith(key))
}

/** Checks a task's options: the cluster is one of those configured, the launch fits a command. */
export function optionsSchema(clusters: Clusters): Executor['optionsSchema'] {
  const known = Object.keys(clusters)
  return taskOptions.superRefine((options, context) => {
    const problem = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const { cluster } = options
    if (known.length === 0) problem('cluster', 'no cluster is configured')
    else if (cluster === undefined && known.length > 1) problem('cluster', `must be one of ${known.join(', ')}`)
    else if (cluster !== undefined && !known.includes(cluster)) problem('cluster', `must be one of ${known.join(', ')}`)
    const excessBytes = sizeBytes(options) - maxScriptBytes + reservedBytes
    if (excessBytes > 0)
      problem(
        'command',
        `command and environment are ${excessBytes} bytes too long for Run Command (64 KB in all): put them into a file`,
      )
  })
}

/** The options as sbatch takes them. `timeoutSeconds` is the time limit of a task that names none, in whole minutes. */
export function sbatchOptions(options: TaskOptions, timeoutSeconds?: number): readonly string[] {
  const { partition, account, qos, gres, nodes, ntasks, cpusPerTask, mem, extra = [] } = options
  const time = options.time ?? (timeoutSeconds === undefined ? undefined : Math.ceil(timeoutSeconds / 60))
  const given = { partition, account, qos, gres, time, nodes, ntasks, 'cpus-per-task': cpusPerTask, mem }
  const named = Object.entries(given).filter(([, one]) => one !== undefined)
  return [...named.map(([key, one]) => `--${key}=${one}`), ...extra]
}

function sizeBytes(options: TaskOptions): number {
  const { command, cwd, environment = {} } = options
  const launch = {
    name: 'size',
    command,
    environment,
    options: sbatchOptions(options),
    ...(cwd !== undefined && { cwd }),
  }
  try {
    // A user name has 32 characters at most.
    return scriptBytes(asUser('x'.repeat(32), launchSlurmScript(launch)))
  } catch (error) {
    // What cannot be quoted has a problem of its own already.
    if (error instanceof InvalidInput) return 0
    throw error
  }
}
