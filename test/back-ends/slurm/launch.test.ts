import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { maxScriptBytes, scriptBytes } from '../../../lib/back-ends/run-command/script-size.ts'
import { shellQuote } from '../../../lib/back-ends/run-command/shell-quote.ts'
import { asUser } from '../../../lib/back-ends/slurm/as-user.ts'
import { cancelSlurmScript } from '../../../lib/back-ends/slurm/cancel-script.ts'
import { findSlurmScript, parseJobId } from '../../../lib/back-ends/slurm/find-script.ts'
import { launchArrayScripts, launchSlurmScript, type SlurmCommand } from '../../../lib/back-ends/slurm/launch.ts'
import { observeSlurm } from '../../../lib/back-ends/slurm/observe.ts'
import { parseSlurmPoll, pollSlurmScript } from '../../../lib/back-ends/slurm/poll-script.ts'
import { createFakeLogin } from './fake-login.ts'

const login = createFakeLogin()
afterAll(async () => {
  expect(await login.dispose()).toBe(0)
})

const now = 2_000_000_000_000

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
    const reports = parseSlurmPoll((await login.run(pollSlurmScript([job]))).stdout, now)
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
