import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSlurmExecutor } from '../../../lib/back-ends/slurm/executor.ts'
import { sbatchOptions, type TaskOptions } from '../../../lib/back-ends/slurm/options.ts'
import { sbatchOptionTable } from '../../../lib/back-ends/slurm/sbatch-options.ts'

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
    [{ mem: '20GB' }, '--mem=20GB'],
    [{ mem: '1gb' }, '--mem=1gb'],
    [{ mem: '512' }, '--mem=512'],
    [{ mem: 0 }, '--mem=0'],
    [{ mem: '0' }, '--mem=0'],
    [{ mem: '64KB' }, '--mem=64KB'],
    [{ time: 'UNLIMITED' }, '--time=UNLIMITED'],
    [{ time: 'infinite' }, '--time=infinite'],
    [{ time: -1 }, '--time=-1'],
    [{ time: '-1' }, '--time=-1'],
    [{ time: 0 }, '--time=0'],
    [{ time: '1-12' }, '--time=1-12'],
    [{ time: '1-' }, '--time=1-'],
    [{ time: '100:00:00' }, '--time=100:00:00'],
    [{ nodes: '2k' }, '--nodes=2k'],
    [{ nodes: '1,3-5:2' }, '--nodes=1,3-5:2'],
    [{ ntasks: '4' }, '--ntasks=4'],
    [{ cpusPerTask: '04' }, '--cpus-per-task=4'],
    [{ extra: ['-c 4'] }, '--cpus-per-task=4'],
    [{ extra: ['-c4'] }, '--cpus-per-task=4'],
    [{ extra: ['--mem 20GB'] }, '--mem=20GB'],
    [{ extra: ['--exclusiv'] }, '--exclusive'],
    [{ extra: ['-H'] }, '--hold'],
    [{ extra: ['--nice'] }, '--nice'],
    [{ extra: ['--nice=-5'] }, '--nice=-5'],
    [{ extra: ['-C [rack1|rack2]'] }, '--constraint=[rack1|rack2]'],
    [{ extra: ['--signal=B:USR1@60'] }, '--signal=B:USR1@60'],
    [{ extra: ['--comment=a = b'] }, '--comment=a = b'],
    [{ extra: ['--no-requeue', '--reboot'] }, '--reboot'],
    [{ time: 5, extra: ['-t 5'] }, '--time=5'],
    [
      { command: '#!/bin/bash\n#SBATCH -p gpu -N 2\n\n# mine\n#SBATCH --mem 4G # four\ntrue\n#SBATCH --wrap=x' },
      '--partition=gpu --nodes=2 --mem=4G',
    ],
    [
      { command: '#SBATCH --comment="a b"\n#SBATCH --mem=1G\ntrue', mem: '2G', extra: ['--comment=c'] },
      '--mem=2G --comment=c',
    ],
  ] as const)('as sbatch takes them: %j', ([options, expected]) => {
    const { data, error } = executor().optionsSchema.safeParse({ command: 'true', ...options })
    expect(error?.issues).toBeUndefined()
    expect(sbatchOptions(data as TaskOptions).join(' ')).toBe(expected)
    expect(executor().optionsSchema.parse(data)).toEqual(data)
  })

  test('go to the folder that --chdir names', () => {
    const options = { command: '#SBATCH -D /scratch\ntrue' }
    expect(executor().optionsSchema.parse(options)).toEqual({ ...options, cwd: '/scratch' })
  })

  test.for([
    [{ extra: ['--requeue'] }, /^--requeue is not taken: an attempt is one run: .*retry/],
    [{ extra: ['--job-name=x'] }, /^--job-name is not taken: Quench gives it itself/],
    [{ extra: ['--o=x'] }, /^--o may be .*--open-mode, --output$/],
    [{ extra: ['-a 1-3'] }, /^--array is not taken: .*pack/],
    [{ extra: [':', '--mem=1G'] }, /^heterogeneous jobs are not taken: make each component a task/],
    [{ command: '#SBATCH -n 1\n#SBATCH hetjob\n#SBATCH -n 2\ntrue' }, /^heterogeneous jobs are not taken/],
    [{ command: '#SBATCH --array=0-9\ntrue' }, /^--array is not taken/],
    [{ command: '#SBATCH --mem=lots\ntrue' }, /^--mem must be megabytes/],
    [{ extra: ['--mem=lots'] }, /^--mem must be megabytes/],
    [{ mem: '1G', extra: ['--mem=2G'] }, /^--mem says something else than mem/],
    [{ extra: ['--hold=yes'] }, /^--hold takes no value/],
    [{ extra: ['--constraint'] }, /^--constraint needs a value/],
    [{ extra: ['--no-such-option=1'] }, /^sbatch has no option --no-such-option that Quench knows/],
    [{ extra: ['-y'] }, /^sbatch has no option -y/],
    [{ extra: ['-W'] }, /^--wait is not taken: .*Quench waits itself/],
    [{ extra: ['--bbf=file'] }, /^--bbf must be an absolute path/],
    [{ extra: ['-d singleton'] }, /^--dependency=singleton is not taken/],
    [{ extra: ['nice'] }, /^must be an option of sbatch/],
    [{ ntasks: 0 }, /^must be a number above 0/],
    [{ mem: -1 }, /^must be megabytes/],
    [{ time: '1d' }, /^must be minutes, .*UNLIMITED/],
  ] as const)('that cannot be taken say why: %j', ([options, expected]) => {
    expect(problems(options)).toEqual([expect.stringMatching(expected)])
  })

  test.for(sbatchOptionTable)('stand in the guide: --$key', ({ key, short, rule }) => {
    const guide = readFileSync(join(import.meta.dirname, '../../../docs/guide.md'), 'utf8')
    const table = guide.slice(guide.indexOf('| options of sbatch |'))
    const row = table.split('\n').find((line) => line.includes(`\`--${key}\``)) ?? ''
    const how = 'carried' in rule ? 'carried' : 'field' in rule ? `\`${rule.field}\`` : 'refused'
    expect(row).toMatch(new RegExp(`\\| ${how}`))
    if (short !== undefined) expect(row).toContain(`\`-${short}\``)
  })

  test.for([
    { command: '' },
    { command: 'a\0b' },
    { cwd: '' },
    { environment: { 'A-B': '' } },
    { environment: { QUENCH_JOB: 'x' } },
    { partition: 'a\nb' },
    { time: 'soon' },
    { nodes: 'many' },
    { mem: '4 GB' },
    { mem: '1.5G' },
    { mem: '1GiB' },
    { time: '5m' },
    { time: -2 },
    { ntasks: '1k' },
    { extra: ['--job-n=x'] },
    { extra: ['--nice=1\n'] },
    { extra: ['--wrap=x'] },
    { noSuchOption: 1 },
  ])('are refused: %j', (options) => {
    expect(problems(options)).toHaveLength(1)
  })
})
