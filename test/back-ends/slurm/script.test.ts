import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { maxScriptBytes, scriptBytes } from '../../../lib/back-ends/run-command/script-size.ts'
import { shellQuote } from '../../../lib/back-ends/run-command/shell-quote.ts'
import { asUser } from '../../../lib/back-ends/slurm/as-user.ts'
import { cancelSlurmScript } from '../../../lib/back-ends/slurm/cancel-script.ts'
import { createSlurmExecutor } from '../../../lib/back-ends/slurm/executor.ts'
import { findSlurmScript, parseJobId } from '../../../lib/back-ends/slurm/find-script.ts'
import { launchArrayScripts, launchSlurmScript, type SlurmCommand } from '../../../lib/back-ends/slurm/launch.ts'
import { observeSlurm } from '../../../lib/back-ends/slurm/observe.ts'
import { sbatchOptions } from '../../../lib/back-ends/slurm/options.ts'
import { parseSlurmPoll, pollSlurmScript } from '../../../lib/back-ends/slurm/poll-script.ts'
import { createScratchHost } from '../../support/scratch-host.ts'

/**
 * A host where programs by Slurm's names stand in for a cluster: sbatch notes its arguments and runs the batch script at
 * once, for up to ten elements of an array; squeue knows no job.
 */
function createFakeLogin() {
  const scratch = createScratchHost()
  const bin = join(scratch.directory, 'bin')
  mkdirSync(bin)
  const program = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const at = (name: string) => join(scratch.directory, name)
  program('squeue', 'exit 0')
  program('scancel', `echo "$*" >>'${at('scancels')}'`)
  program(
    'sbatch',
    `printf '%s\\0' "$@" >'${at('arguments')}'
last=
for one; do case $one in --output=*) out=\${one#--output=} ;; --array=0-*) last=\${one#--array=0-} ;; esac; done
while [ "\${1#--}" != "$1" ]; do shift; done
if [ -z "$last" ]; then SLURM_JOB_ID=7 sh "$@" >"$(printf %s "$out" | sed s/%%/%/g)" 2>&1
else
  index=0
  while [ $index -le $last ] && [ $index -lt 10 ]; do
    SLURM_JOB_ID=$((100 + index)) SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$index \\
      sh "$@" >"$(printf %s "$out" | sed "s/%a/$index/; s/%%/%/g")" 2>&1
    index=$((index + 1))
  done
fi
echo '7;cluster'`,
  )
  return {
    at,
    program,
    dispose: scratch.dispose,
    run: (script: string) => scratch.run(`PATH='${bin}':$PATH\n${script}`),
    sbatchArguments: () => readFileSync(at('arguments'), 'utf8').split('\0').slice(0, -1),
    read: (name: string) => readFileSync(at(name), 'utf8'),
  }
}

const login = createFakeLogin()
afterAll(async () => {
  expect(await login.dispose()).toBe(0)
})

let count = 0
const aLaunch = (overrides: Partial<Parameters<typeof launchSlurmScript>[0]> = {}) => {
  count += 1
  return { name: `job-${count}-1`, command: 'true', options: [], environment: {}, ...overrides }
}

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  fc.constantFrom(
    '\'"$(id)`id`',
    '#SBATCH --mem=1\r\n',
    '--help',
    '-x',
    '\n\n',
    '{{ ssm:x }}',
    'QUENCH_BATCH\n',
    '%j%%\\',
  ),
)
// A shell reads bytes; what is not UTF-8 does not come from JSON.
const wellFormed = nasty.map((text) => text.toWellFormed())

describe('a launch', () => {
  test('hands every text of a task to the command and to sbatch as it is', async () => {
    const texts = fc.record({ value: wellFormed, argument: wellFormed, word: wellFormed })
    await fc.assert(
      fc.asyncProperty(texts, async ({ value, argument, word }) => {
        const quoted = `'${word.replaceAll("'", String.raw`'\''`)}'`
        const launch = aLaunch({
          command: `printf '%s\\0' "$VALUE" ${quoted} "$QUENCH_JOB"`,
          options: [`--comment=${argument}`],
          environment: { VALUE: value },
        })
        const { stdout } = await login.run(launchSlurmScript(launch))
        expect(parseJobId(stdout)).toBe(7)
        expect(login.read(`slurm/${launch.name}/stdout`).split('\0')).toEqual([value, word, launch.name, ''])
        expect(login.sbatchArguments()).toContain(`--comment=${argument}`)
      }),
      { numRuns: 15 },
    )
  })

  test('takes commands and values of many kilobytes', async () => {
    const value = `'"`.repeat(5_000)
    const launch = aLaunch({ command: `printf %s "$VALUE" #${'x'.repeat(30_000)}`, environment: { VALUE: value } })
    await login.run(launchSlurmScript(launch))
    expect(login.read(`slurm/${launch.name}/stdout`)).toBe(value)
  })

  test('has no text of a task in the batch script', async () => {
    const launch = aLaunch({ command: '#SBATCH --mem=1' })
    await login.run(launchSlurmScript(launch))
    expect(login.read(`slurm/${launch.name}/batch`)).not.toContain('#SBATCH')
  })

  test('calls sbatch once, however often it comes', async () => {
    const launch = aLaunch({ command: 'echo once' })
    for (const _ of [1, 2]) expect(parseJobId((await login.run(launchSlurmScript(launch))).stdout)).toBe(7)
    expect(login.read(`slurm/${launch.name}/stdout`)).toBe('once\n')
    expect(parseJobId((await login.run(findSlurmScript(launch.name))).stdout)).toBe(7)
  })

  test('after a cancel submits nothing', async () => {
    const launch = aLaunch({ command: 'echo never' })
    const job = { name: launch.name, jobId: 0 }
    expect((await login.run(cancelSlurmScript([job], 'force'))).stdout).toBe('accepted;\nend;\n')
    expect(parseJobId((await login.run(launchSlurmScript(launch))).stdout)).toBe(0)
    expect(() => login.read(`slurm/${launch.name}/stdout`)).toThrow('ENOENT')
    const reports = parseSlurmPoll((await login.run(pollSlurmScript([job]))).stdout)
    expect(reports.map(observeSlurm)).toMatchObject([{ state: 'cancelled' }])
  })

  test('as a user goes through one more shell unharmed', async () => {
    const launch = aLaunch({
      command: `echo "it's me" QUENCH_AS_USER; id -un`,
      environment: { A: '\nQUENCH_AS_USER\n' },
    })
    login.program('runuser', '[ "$1 $2 $3" = "-s /bin/sh -c" ] && echo "as $5" && exec sh -c "$4"')
    const { stdout } = await login.run(asUser('ada', launchSlurmScript(launch)))
    expect(stdout).toBe('as ada\njob 7;\n')
    expect(login.read(`slurm/${launch.name}/stdout`)).toMatch(/^it's me QUENCH_AS_USER\n/)
  })

  test.for(['-a', 'a/b', '../a', 'a b', ''])('refuses the name %j', (name) => {
    expect(() => launchSlurmScript(aLaunch({ name }))).toThrow('cannot be the name of a job')
  })
})

describe('a launch of an array', () => {
  const anArray = (members: readonly Partial<SlurmCommand>[]) => {
    const { name } = aLaunch()
    const of = (member: Partial<SlurmCommand>, n: number) => ({
      ...{ name: `${name}-${n + 4}-1`, command: 'true', environment: {}, ...member },
    })
    return { name, options: [], members: members.map(of) }
  }
  const launch = async (scripts: readonly string[]) => {
    let last = { exitCode: null as number | null, stdout: '' }
    for (const script of scripts) last = await login.run(script)
    return last
  }

  test('gives each element its own texts, and those that all have in common', async () => {
    const member = fc.record({ value: wellFormed, word: wellFormed, cwd: fc.constantFrom('/', '/tmp') })
    const texts = fc.record({ common: wellFormed, members: fc.array(member, { minLength: 2, maxLength: 3 }) })
    await fc.assert(
      fc.asyncProperty(texts, async ({ common, members }) => {
        const array = anArray(
          members.map(({ value, word, cwd }, index) => ({
            command: `printf '%s\\0' "$COMMON" "$VALUE" "\${EXTRA-none}" ${shellQuote(word)} "$QUENCH_JOB" "$QUENCH_TASK_INDEX" "$(pwd)"`,
            cwd,
            environment: { COMMON: common, VALUE: value, ...(index === 1 && { EXTRA: '' }) },
          })),
        )
        const scripts = launchArrayScripts(array)
        expect(scripts).toHaveLength(1)
        expect(parseJobId((await launch(scripts)).stdout)).toBe(7)
        for (const [index, { value, word, cwd }] of members.entries()) {
          const expected = [common, value, index === 1 ? '' : 'none', word, array.members[index]?.name, `${index}`, cwd]
          expect(login.read(`slurm/${array.name}/${index}/stdout`)).toBe(`${expected.join('\0')}\0`)
        }
        expect(login.sbatchArguments()).toContain(`--array=0-${members.length - 1}`)
      }),
      { numRuns: 10 },
    )
  })

  test('takes as many commands as its texts need, and submits when all are there', async () => {
    const array = anArray(Array.from({ length: 1001 }, (_, n) => ({ environment: { OWN: `${n}-${'x'.repeat(150)}` } })))
    const scripts = launchArrayScripts(array)
    expect(scripts.length).toBeLessThanOrEqual(8)
    for (const script of scripts)
      expect(scriptBytes(asUser('x'.repeat(32), script))).toBeLessThanOrEqual(maxScriptBytes)
    expect((await launch(scripts.toSpliced(1, 1))).exitCode).toBe(73)
    expect(parseJobId((await login.run(findSlurmScript(array.name))).stdout)).toBe('none')
    expect(parseJobId((await launch(scripts)).stdout)).toBe(7)
    expect(login.sbatchArguments()).toContain('--array=0-1000')
    expect(login.read(`slurm/${array.name}/1000/start`)).toContain(`'OWN=1000-xxx`)
  })

  test('calls sbatch once, however often it comes', async () => {
    const scripts = launchArrayScripts(anArray([{ command: 'echo one' }, { command: 'echo two' }]))
    expect(parseJobId((await launch(scripts)).stdout)).toBe(7)
    rmSync(login.at('arguments'))
    expect(parseJobId((await launch(scripts)).stdout)).toBe(7)
    expect(login.sbatchArguments).toThrow('ENOENT')
  })

  test('refuses a member that no command can carry', () => {
    const array = anArray([{}, { command: 'x'.repeat(60_000) }])
    expect(() => launchArrayScripts(array)).toThrow('does not fit a command')
  })
})

describe('a pack on a cluster', () => {
  const clusters = { one: { instanceId: 'i-0001' }, two: { instanceId: 'i-0002', maxArraySize: 4001 } }
  const { packing } = createSlurmExecutor({ ssm: { send: () => Promise.reject() }, clusters })
  const problem = (...options: object[]) => packing?.problem(options.map((one) => ({ command: 'true', ...one })))
  const many = (count: number, cluster: string) => Array.from({ length: count }, () => ({ cluster }))

  test('may differ in what each element has of its own', () => {
    const [one, two] = [
      { command: 'a', environment: { A: 'b' } },
      { command: 'c', cwd: '/tmp', cluster: 'one' },
    ]
    expect(problem({ cluster: 'one', ...one }, two)).toBeUndefined()
    expect(problem(one, two)).toBeUndefined()
  })

  test.for([
    [{ cluster: 'one' }, { cluster: 'two' }, 'cluster'],
    [{ mem: '1G' }, {}, 'mem'],
    [{ extra: ['--nice=1'] }, { extra: ['--nice=2'] }, 'extra'],
  ] as const)('may not differ in what sbatch takes for all: %j, %j', ([one, two, key]) => {
    expect(problem(one, two)).toBe(`members of a pack on Slurm are one job array, and must not differ in ${key}`)
  })

  test('has as many members as the array jobs of its cluster', () => {
    expect(problem(...many(1001, 'one'))).toBeUndefined()
    expect(problem(...many(1002, 'one'))).toMatch(
      /^an array on one has at most 1001 elements, not 1002: .*maxArraySize/,
    )
    expect(problem(...many(4001, 'two'))).toBeUndefined()
  })

  test('has one time limit', async () => {
    const job = { ...{ dispatchId: 'd', taskId: 1, attempt: 1, name: 'job-1-1', environment: {} } }
    const jobs = [60, 120].map((timeoutSeconds) => ({ ...job, timeoutSeconds, options: { command: 'true' } }))
    await expect(packing?.submit(jobs, 'job-1-1')).rejects.toThrow('must not differ in timeoutSeconds')
  })
})

describe('a poll', () => {
  test('asks the accounts for what slurmctld has forgotten, and believes them about ends alone', async () => {
    const names = ['acct-1-1', 'acct-2-1', 'acct-3-1', 'acct-4-1']
    login.program(
      'sacct',
      `echo '11|CANCELLED by 1000|1000|2000|acct-1-1
12|RUNNING|1000|Unknown|acct-2-1
13|NODE_FAIL|1000|2000|acct-3-1
14|COMPLETED|1000|2000|somebody-else'`,
    )
    const jobs = names.map((name, n) => ({ name, jobId: 11 + n }))
    const states = parseSlurmPoll((await login.run(pollSlurmScript(jobs))).stdout).map((report) => observeSlurm(report))
    expect(states.map(({ state }) => state)).toEqual(['cancelled', 'lost', 'failed', 'lost'])
    expect(states[2]).toMatchObject({ startedAt: 1_000_000, endedAt: 2_000_000, failure: { code: 'NodeFail' } })
  })

  test('says nothing where the controller says nothing', async () => {
    login.program('squeue', 'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1')
    const { exitCode, stdout } = await login.run(pollSlurmScript([{ name: 'job-1-1', jobId: 7 }]))
    expect([exitCode, parseSlurmPoll(stdout)]).toEqual([74, []])
    login.program('squeue', 'exit 0')
  })
})

describe('options for a cluster', () => {
  const two = { one: { instanceId: 'i-0001' }, two: { instanceId: 'i-0002' } }
  const executor = (clusters: Record<string, { instanceId: string }> = { one: two.one }) =>
    createSlurmExecutor({ ssm: { send: () => Promise.reject() }, clusters })
  const problems = (options: object, clusters?: Record<string, { instanceId: string }>) =>
    executor(clusters)
      .optionsSchema.safeParse({ command: 'true', ...options })
      .error?.issues.map(({ message }) => message)

  test('are what sbatch takes', () => {
    const options = {
      ...{
        cluster: 'one',
        command: 'true',
        cwd: '/tmp',
        environment: { A: 'b' },
        partition: 'gpu',
        account: 'a',
        qos: 'q',
      },
      ...{ time: '1-02:03:04', nodes: '1-4', ntasks: 2, cpusPerTask: 3, mem: '4G', gres: 'gpu:2', extra: ['--nice=5'] },
    }
    expect(problems(options)).toBeUndefined()
    expect(sbatchOptions(options, 90)).toEqual([
      ...['--partition=gpu', '--account=a', '--qos=q', '--gres=gpu:2', '--time=1-02:03:04', '--nodes=1-4'],
      ...['--ntasks=2', '--cpus-per-task=3', '--mem=4G', '--nice=5'],
    ])
  })

  test('take the time limit from the task, in whole minutes, where they have none', () => {
    expect(sbatchOptions({ command: 'true' }, 61)).toEqual(['--time=2'])
    expect(sbatchOptions({ command: 'true', time: 5 }, 61)).toEqual(['--time=5'])
  })

  test('name a cluster where there are several', () => {
    expect(problems({}, two)).toEqual(['must be one of one, two'])
    expect(problems({ cluster: 'three' }, two)).toEqual(['must be one of one, two'])
    expect(problems({ cluster: 'two' }, two)).toBeUndefined()
  })

  test('fit the document of a command', () => {
    expect(problems({ command: 'x'.repeat(35_000) })).toBeUndefined()
    expect(problems({ command: 'x'.repeat(60_000) })?.[0]).toMatch(/bytes too long for Run Command/)
  })

  test.for([
    { command: '' },
    { command: 'a\0b' },
    { cwd: '' },
    { environment: { 'A-B': '' } },
    { environment: { QUENCH_JOB: 'x' } },
    { partition: 'a\nb' },
    { time: 'soon' },
    { time: 0 },
    { nodes: 'many' },
    { mem: '4 GB' },
    { extra: ['-n4'] },
    { extra: ['nice'] },
    { extra: ['--nice=1\n'] },
    { extra: ['--job-name=x'] },
    { extra: ['--job-n=x'] },
    { extra: ['--wrap=x'] },
    { extra: ['--o=x'] },
    { noSuchOption: 1 },
  ])('are refused: %j', (options) => {
    expect(problems(options)).toHaveLength(1)
  })
})
