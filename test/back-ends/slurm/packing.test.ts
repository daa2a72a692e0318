import { describe, expect, test } from 'vitest'
import { createSlurmExecutor } from '../../../lib/back-ends/slurm/executor.ts'

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
