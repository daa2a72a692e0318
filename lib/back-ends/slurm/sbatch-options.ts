/** What Quench does with an option of sbatch: hands it on, has an option of its own for it, or cannot take it. */
export interface SbatchOption {
  /** Without its dashes. */
  readonly key: string
  readonly short?: string
  readonly value: 'none' | 'optional' | 'required'
  readonly rule: { readonly carried: true } | { readonly field: OptionField } | { readonly refused: string }
}

/** Options of a task that sbatch has as well. */
export type OptionField =
  | 'account'
  | 'cpusPerTask'
  | 'cwd'
  | 'gres'
  | 'mem'
  | 'nodes'
  | 'ntasks'
  | 'partition'
  | 'qos'
  | 'time'

const ours = 'Quench gives it itself'
const printed = 'Quench reads what sbatch prints'

/** `key`, or `key short`. */
const fields: Readonly<Record<string, OptionField>> = {
  'account A': 'account',
  'chdir D': 'cwd',
  'cpus-per-task c': 'cpusPerTask',
  gres: 'gres',
  mem: 'mem',
  'nodes N': 'nodes',
  'ntasks n': 'ntasks',
  'partition p': 'partition',
  'qos q': 'qos',
  'time t': 'time',
}

const refusedWithValue: Readonly<Record<string, string>> = {
  'array a': `${ours}: make the tasks one pack, which is one job array`,
  'cluster-constraint': 'the job must run where Quench asks for it: name the cluster by `cluster`',
  'clusters M': 'the job must run where Quench asks for it: name the cluster by `cluster`',
  container: 'the batch script has to reach the folder of the job: start the container in the command',
  'container-id': 'the batch script has to reach the folder of the job: start the container in the command',
  'error e': 'Quench keeps the output for `quench logs`: redirect in the command what is to go elsewhere',
  'export-file': 'give the variables as `environment`',
  gid: 'jobs are of the user that is configured for the cluster',
  'input i': 'redirect in the command: `program < file`',
  'job-name J': `${ours}: the job is found by it`,
  'open-mode': `${ours}: each job has files of its own`,
  'output o': 'Quench keeps the output for `quench logs`: redirect in the command what is to go elsewhere',
  uid: 'jobs are of the user that is configured for the cluster',
  wrap: 'give it as `command`',
}

const refusedAlone: Readonly<Record<string, string>> = {
  external: 'it makes a job without a command',
  'help h': printed,
  'ignore-pbs': 'the command has no options in its lines for PBS',
  parsable: ours,
  'quiet Q': printed,
  requeue:
    'an attempt is one run: where a node or a preemption takes the job away, Quench submits the next attempt itself (up to three, or as `retry` says)',
  'test-only': 'it makes no job',
  usage: printed,
  'verbose v': printed,
  'version V': printed,
  'wait W': 'sbatch would not come back before the job has ended: Quench waits itself',
}

const carriedWithValue = [
  ...['acctg-freq', 'batch', 'bb', 'bbf', 'begin b', 'comment', 'constraint C', 'core-spec S', 'cores-per-socket'],
  ...[
    'cpu-freq',
    'cpus-per-gpu',
    'deadline',
    'delay-boot',
    'dependency d',
    'distribution m',
    'exclude x',
    'export',
    'extra',
  ],
  ...['extra-node-info B', 'gpu-bind', 'gpu-freq', 'gpus G', 'gpus-per-node', 'gpus-per-socket', 'gpus-per-task'],
  ...['gres-flags', 'hint', 'kill-on-invalid-dep', 'licenses L', 'mail-type', 'mail-user', 'mcs-label', 'mem-bind'],
  ...[
    'mem-per-cpu',
    'mem-per-gpu',
    'mincpus',
    'network',
    'nodefile F',
    'nodelist w',
    'ntasks-per-core',
    'ntasks-per-gpu',
  ],
  ...[
    'ntasks-per-node',
    'ntasks-per-socket',
    'power',
    'prefer',
    'priority',
    'profile',
    'reservation',
    'segment',
    'signal',
  ],
  ...[
    'sockets-per-node',
    'switches',
    'thread-spec',
    'threads-per-core',
    'time-min',
    'tmp',
    'tres-bind',
    'tres-per-task',
  ],
  ...['wait-all-nodes', 'wckey'],
]

const carriedWithOptionalValue = [
  'exclusive',
  'get-user-env',
  'nice',
  'no-kill k',
  'oom-kill-step',
  'propagate',
  'resv-ports',
]

const carriedAlone = [
  ...['consolidate-segments', 'contiguous', 'hold H', 'no-requeue', 'overcommit O', 'oversubscribe s', 'reboot'],
  ...['spread-job', 'spread-segments', 'stepmgr', 'use-min-nodes'],
]

const carried = { carried: true } as const

/**
 * Every option of sbatch(1), of 22.05 as Debian has it and those that came until 25.05; `extra` takes no other. The guide has
 * the same table for people.
 * Source: slurm.schedmd.com/sbatch.html.
 */
export const sbatchOptionTable: readonly SbatchOption[] = [
  ...Object.entries(fields).map(([names, field]) => anOption(names, 'required', { field })),
  ...carriedWithValue.map((names) => anOption(names, 'required', carried)),
  ...carriedWithOptionalValue.map((names) => anOption(names, 'optional', carried)),
  ...carriedAlone.map((names) => anOption(names, 'none', carried)),
  ...Object.entries(refusedWithValue).map(([names, refused]) => anOption(names, 'required', { refused })),
  ...Object.entries(refusedAlone).map(([names, refused]) => anOption(names, 'none', { refused })),
]

function anOption(names: string, value: SbatchOption['value'], rule: SbatchOption['rule']): SbatchOption {
  const [key = '', short] = names.split(' ')
  return { key, value, rule, ...(short !== undefined && { short }) }
}
