import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { maxScriptBytes, scriptBytes } from '../../../lib/back-ends/run-command/script-size.ts'
import { shellQuote } from '../../../lib/back-ends/run-command/shell-quote.ts'
import { asUser } from '../../../lib/back-ends/slurm/as-user.ts'
import { cancelSlurmScript } from '../../../lib/back-ends/slurm/cancel-script.ts'
import { createSlurmExecutor } from '../../../lib/back-ends/slurm/executor.ts'
import { findSlurmScript, parseJobId } from '../../../lib/back-ends/slurm/find-script.ts'
import { launchArrayScripts, launchSlurmScript, type SlurmCommand } from '../../../lib/back-ends/slurm/launch.ts'
import { observeSlurm } from '../../../lib/back-ends/slurm/observe.ts'
import { parseSlurmPoll, pollSlurmScript } from '../../../lib/back-ends/slurm/poll-script.ts'
import { createScratchHost } from '../../support/scratch-host.ts'

/** A scontrol that reads questions: of a controller that has no job, and answers all else. */
const controllerWithoutJobs = `while read -r a b c; do
  echo "scontrol: $a $b $c"
  case $b in
  job) echo 'slurm_load_jobs error: Invalid job id specified' >&2 ;;
  config) echo 'ProctrackType           = proctrack/linuxproc' ;;
  esac
done`

/**
 * A host where programs by Slurm's names stand in for a cluster: sbatch notes its arguments and runs the batch script at
 * once, for up to ten elements of an array; squeue and scontrol know no job.
 */
function createFakeLogin() {
  const scratch = createScratchHost()
  const bin = join(scratch.directory, 'bin')
  mkdirSync(bin)
  const program = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const at = (name: string) => join(scratch.directory, name)
  program('squeue', 'exit 0')
  program('scontrol', controllerWithoutJobs)
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

describe('an answer of sbatch', () => {
  const realAnswer = "echo '7;cluster'"
  const withAnswer = (text: string) => login.program('sbatch', `${text}`)
  const isListed = (name: string) => login.program('squeue', `echo 'J|7|N/A|PD|N/A|N/A|${name}'`)

  test.for([
    ['a banner before it', `printf '*** News ***\n\n'; ${realAnswer}`],
    ['a banner after it', `${realAnswer}; echo 'See you in 2027'`],
    ['a number after it', `${realAnswer}; echo 2027`],
    ['colours around it', String.raw`printf '\033[1;32m7\033[0m;cluster\033[0m\n'`],
    ['a carriage return behind it', String.raw`printf '7\r\n'`],
    ['no newline behind it', 'printf 7'],
    ['the sentence of a wrapper instead', 'echo Submitted batch job 7'],
    ['nothing on stdout', 'true'],
    ['an exit code that is wrong', `${realAnswer}; exit 1`],
    ['a warning on stderr', `echo 'sbatch: warning: no more' >&2; ${realAnswer}`],
  ] as const)('with %s is read for the id that the controller has', async ([, answer]) => {
    withAnswer(answer)
    const launch = aLaunch()
    isListed(launch.name)
    expect(parseJobId((await login.run(launchSlurmScript(launch))).stdout)).toBe(7)
    expect(login.read(`slurm/${launch.name}/job`)).toBe('7\n')
  })

  test('that is an id stands where squeue does not show the job yet', async () => {
    withAnswer(`echo News; ${realAnswer}`)
    login.program('squeue', 'exit 0')
    expect(parseJobId((await login.run(launchSlurmScript(aLaunch()))).stdout)).toBe(7)
  })

  test('without an id, where nobody knows the job, is an answer without a job', async () => {
    withAnswer('echo News')
    login.program('squeue', 'exit 0')
    expect(parseJobId((await login.run(launchSlurmScript(aLaunch()))).stdout)).toBe(0)
  })

  test.for([
    ['an exit code of 1, and an empty list', 'exit 1', 'exit 0', 77],
    ['an exit code of 1, and no list', 'exit 1', 'exit 1', 75],
    ['an exit code of 1, and a list with a complaint', 'exit 1', 'echo error >&2', 75],
    ['a signal', 'kill -9 $$', 'exit 0', 75],
    ['no controller to connect to', 'echo "sbatch: error: (connect failure)" >&2; exit 1', 'exit 1', 77],
    ['a controller that was too slow', 'echo "Socket timed out" >&2; exit 1', 'exit 0', 75],
  ] as const)('that is a refusal by %s', async ([, answer, list, exitCode]) => {
    withAnswer(answer)
    login.program('squeue', list)
    expect((await login.run(launchSlurmScript(aLaunch()))).exitCode).toBe(exitCode)
  })
})

describe('a job that squeue does not show', () => {
  let index = 0
  const aRun = async (files: Record<string, string>) => {
    index += 1
    const name = `absent-${index}-1`
    mkdirSync(join(login.at('slurm'), name, 'run'), { recursive: true })
    for (const [file, text] of Object.entries({ job: '7\n', ...files }))
      writeFileSync(join(login.at('slurm'), name, file), text)
    const look = async () => {
      const [report = {}] = parseSlurmPoll((await login.run(pollSlurmScript([{ name, jobId: 7 }]))).stdout)
      return observeSlurm(report)
    }
    return { name, look }
  }
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const uptimeSeconds = () => Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]))
  const ago = (seconds: number) => `${boot} ${uptimeSeconds() - seconds}\n`
  const controller = (script = controllerWithoutJobs) => login.program('scontrol', script)
  const queue = (script = 'exit 0') => login.program('squeue', script)

  test('is lost when the controller has no such id, and closed with the second word', async () => {
    queue()
    controller()
    const { name, look } = await aRun({})
    expect(await look()).toEqual({ state: 'lost' })
    expect(() => login.read(`slurm/${name}/fate`)).toThrow('ENOENT')
    writeFileSync(login.at(`slurm/${name}/absent`), ago(20))
    expect(await look()).toMatchObject({ state: 'lost' })
    expect(login.read(`slurm/${name}/fate`)).toMatch(/^lost /)
  })

  test.for([
    ['squeue had something to say', 'echo "slurm_load_jobs error: Socket timed out" >&2', controllerWithoutJobs],
    ['the controller does not answer', 'exit 0', 'echo "Unable to contact slurm controller" >&2; exit 1'],
    ['the controller answers nothing else', 'exit 0', `${controllerWithoutJobs} | grep -v Proctrack`],
    ['scontrol says nothing', 'exit 0', 'exit 0'],
    [
      'the controller shows it',
      'exit 0',
      'echo "scontrol: show job 7"; echo "JobId=7 JobName=NAME"; echo "ProctrackType = x"',
    ],
    [
      'another complaint stands for the answer',
      'exit 0',
      'echo "scontrol: show job 7"; echo "ProctrackType = x"; echo "Access denied" >&2',
    ],
  ] as const)('is not lost where %s', async ([, squeue, scontrol]) => {
    const { name, look } = await aRun({ absent: ago(1000) })
    queue(squeue)
    controller(scontrol.replace('NAME', name))
    expect(await look()).toMatchObject({ state: 'unknown', failure: { code: 'NoAnswer' } })
    expect(() => login.read(`slurm/${name}/fate`)).toThrow('ENOENT')
  })

  test('is gone where its id is of a job with another name', async () => {
    queue()
    controller('echo "scontrol: show job 7"; echo "JobId=7 JobName=other"; echo "ProctrackType = x"')
    expect(await (await aRun({})).look()).toEqual({ state: 'lost' })
  })

  test('and has begun is lost only when nobody beside it has answered for 90 s', async () => {
    queue()
    controller()
    const { name, look } = await aRun({ began: '1000\n' })
    expect(await look()).toMatchObject({ state: 'unknown' })
    expect(login.read(`slurm/${name}/absent`)).toMatch(boot)
    for (const stamp of [ago(80), ago(-900), `${randomUUID()} 5\n`, '']) {
      writeFileSync(login.at(`slurm/${name}/absent`), stamp)
      expect(await look()).toMatchObject({ state: 'unknown' })
    }
    writeFileSync(login.at(`slurm/${name}/absent`), ago(90))
    expect(await look()).toMatchObject({ state: 'lost' })
    expect(login.read(`slurm/${name}/fate`)).toMatch(/^lost /)
  })

  test('and has begun is over at once when its sweeper has swept', async () => {
    queue()
    controller()
    expect(await (await aRun({ began: '1000\n', swept: 'cgroup populated 0\n' })).look()).toMatchObject({
      state: 'lost',
    })
  })

  test('is not cancelled by that, whoever asked for it', async () => {
    const fate = 'cancelled 2000\n'
    queue('echo error >&2')
    controller()
    const { name, look } = await aRun({ fate })
    expect(await look()).toMatchObject({ state: 'unknown' })
    const stopped = await login.run(cancelSlurmScript([{ name, jobId: 7 }], 'force'))
    expect(stopped.stdout).toBe('failed;\nend;\n')
    queue()
    expect(await look()).toMatchObject({ state: 'cancelled' })
    const begun = await aRun({ fate, began: '1000\n' })
    expect(await begun.look()).toMatchObject({ state: 'unknown' })
  })

  test('and whose id is unknown is waited for, but not while squeue complains', async () => {
    controller()
    queue('echo error >&2')
    const { name, look } = await aRun({ job: '0\n', seen: ago(1000) })
    rmSync(login.at(`slurm/${name}/job`))
    const lookNameless = async () =>
      parseSlurmPoll((await login.run(pollSlurmScript([{ name, jobId: 0 }]))).stdout).map(observeSlurm)
    expect(await lookNameless()).toMatchObject([{ state: 'unknown' }])
    queue()
    expect(await lookNameless()).toMatchObject([{ state: 'lost' }])
    expect(await look()).toMatchObject({ state: 'lost' })
  })

  test('under its id is found by its name', async () => {
    const { name, look } = await aRun({ job: '2027\n' })
    queue(`echo '*** News ***'; echo 'J|9|N/A|R|1000|N/A|${name}'; echo 'J|7|N/A|R|1000|N/A|other'`)
    expect(await look()).toMatchObject({ state: 'running' })
    await login.run(cancelSlurmScript([{ name, jobId: 7 }], 'force'))
    expect(login.read('scancels')).toMatch(/ 9\n$/)
  })
})

describe('a poll', () => {
  beforeEach(() => {
    login.program('squeue', 'exit 0')
    login.program('scontrol', controllerWithoutJobs)
  })

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
    expect(states[0]?.failure?.message).toBe('cancelled on the cluster by user 1000, not by Quench')
    expect(states[2]).toMatchObject({ startedAt: 1_000_000, endedAt: 2_000_000, failure: { code: 'NodeFail' } })
  })

  test('asks the same whatever variables the user has for the tools', async () => {
    login.program('squeue', `env | grep -e ^SQUEUE_ -e ^SLURM_ >'${login.at('variables')}'`)
    const variables = 'SQUEUE_FORMAT=%i SQUEUE_STATES=PD SQUEUE_ARRAY=1 SLURM_CLUSTERS=all SLURM_TIME_FORMAT=%d'
    await login.run(`export ${variables}\n${pollSlurmScript([{ name: 'job-1-1', jobId: 7 }])}`)
    expect(login.read('variables')).toBe('SLURM_TIME_FORMAT=%s\n')
  })

  test('says nothing where the controller says nothing', async () => {
    login.program('squeue', 'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1')
    const { exitCode, stdout } = await login.run(pollSlurmScript([{ name: 'job-1-1', jobId: 7 }]))
    expect([exitCode, parseSlurmPoll(stdout)]).toEqual([74, []])
    login.program('squeue', 'exit 0')
  })
})
