import { z } from 'zod'
import { InvalidInput } from '../../domain/errors.ts'
import type { Executor } from '../executor.ts'
import { commandOptions } from '../run-command/command-options.ts'
import { maxScriptBytes, scriptBytes } from '../run-command/script-size.ts'
import { asUser } from './as-user.ts'
import { launchSlurmScript } from './launch.ts'
import { headerOptions, readOption } from './read-option.ts'
import type { OptionField } from './sbatch-options.ts'

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

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
const value = z.string().regex(/^[^\0-\x1f]+$/, 'must be one line and not empty')
/** A number not below `least`, or a text, in a spelling of sbatch's. */
const spelled = (least: number, spelling: RegExp, message: string) =>
  z.union([z.int(message).min(least, message), z.string().regex(spelling, message)], message)
const count = spelled(1, /^\+?0*[1-9]\d*$/, 'must be a number above 0').transform(Number)

/** As sbatch(1) 22.05 takes them; what it refuses itself (a node count that is no range) is left to it. */
const taskOptions = z.strictObject({
  cluster: z.string().exactOptional(),
  ...commandOptions,
  partition: value.exactOptional(),
  account: value.exactOptional(),
  qos: value.exactOptional(),
  gres: value.exactOptional(),
  time: spelled(
    -1,
    /^(-1|unlimited|infinite|\d+(:\d+){0,2}|\d+-(\d+(:\d+){0,2})?)$/i,
    'must be minutes, Slurm’s MM:SS, HH:MM:SS, D-HH or D-HH:MM:SS, or UNLIMITED (or 0, or -1)',
  ).exactOptional(),
  nodes: spelled(1, /^\d+[km]?([-,:]\d+[km]?)*$/i, 'must be a number, least-most, or a list of sizes').exactOptional(),
  ntasks: count.exactOptional(),
  cpusPerTask: count.exactOptional(),
  mem: spelled(
    0,
    /^\d+([KMGT]B?)?$/i,
    'must be megabytes, or a number and K, M, G or T (4G, 20GB); 0 is all that a node has',
  ).exactOptional(),
  extra: z.array(value).exactOptional(),
})

export type TaskOptions = z.infer<typeof taskOptions>

/**
 * Checks a task's options: the cluster is one of those configured, sbatch has the options and Quench can take them, the launch
 * fits a command.
 *
 * What comes out has one way to say each: what `extra` and the command's `#SBATCH` lines say of `partition`, `time` and the
 * like is there, the rest in `extra` as `--key` or `--key=value`. What is said twice with different values is a problem, but
 * that options have the last word over `#SBATCH` lines, as they have on a command line.
 */
export function optionsSchema(clusters: Clusters): Executor['optionsSchema'] {
  const known = Object.keys(clusters)
  return taskOptions.transform(gather).superRefine((options, context) => {
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

/** Options with those of `extra` and of the `#SBATCH` lines where they belong. */
function gather(options: TaskOptions, context: z.RefinementCtx<TaskOptions>): TaskOptions {
  const { extra = [], ...named } = options
  const given: Record<string, unknown> = { ...named }
  const rest = new Map<string, string>()
  const problem = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })

  const take = (text: string, path: (string | number)[], mayBeOverruled: boolean) => {
    const read = readOption(text.trim())
    if ('problem' in read) return problem(path, read.problem)
    const { key, rule } = read.option
    if ('carried' in rule) {
      if (mayBeOverruled && rest.has(key)) return
      rest.set(key, read.value === undefined ? `--${key}` : `--${key}=${read.value}`)
      return
    }
    const { field } = rule as { readonly field: OptionField }
    if (mayBeOverruled && given[field] !== undefined) return
    const parsed = taskOptions.shape[field].safeParse(read.value)
    if (!parsed.success) return problem(path, `--${key} ${parsed.error.issues[0]?.message}`)
    if (given[field] !== undefined && String(given[field]) !== String(parsed.data))
      return problem(path, `--${key} says something else than ${field}`)
    given[field] = parsed.data
  }
  for (const [index, text] of extra.entries()) take(text, ['extra', index], false)
  for (const text of headerOptions(options.command)) take(text, ['command'], true)
  // --no-requeue goes with every job.
  rest.delete('no-requeue')
  return { ...given, ...(rest.size > 0 && { extra: [...rest.values()] }) } as TaskOptions
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
