import type { BraketClient, SearchQuantumTasksCommandInput } from '@aws-sdk/client-braket'
import { describe, expect, test } from 'vitest'
import { createBraketTaskExecutor } from '../../../lib/back-ends/braket/executor.ts'
import type { Deadline, SoughtJob } from '../../../lib/back-ends/executor.ts'
import { aJobSpec, throttled } from '../../contracts/executor-contract.ts'
import { someTime } from '../../support/builders.ts'
import { aJumpingClock } from './jumping-clock.ts'

const minute = 60_000
const sv1 = 'arn:aws:braket:::device/quantum-simulator/amazon/sv1'

interface Made {
  readonly name: string
  readonly at: number
}

/** A device that was given these tasks, and an executor whose searches keep to the quota of a clock that jumps. */
function aDevice(made: readonly Made[]) {
  const clock = aJumpingClock()
  const device = { pages: 0, onPage: (_page: number) => {} }
  const send = async ({ input }: { input: SearchQuantumTasksCommandInput }) => {
    device.pages += 1
    device.onPage(device.pages)
    const [, { values = [] } = {}] = input.filters ?? []
    const [from, to] = values.map((text) => Date.parse(text)) as [number, number]
    const inTime = made.filter(({ at }) => at >= from && at <= to)
    const begin = Number(input.nextToken ?? 0)
    return {
      quantumTasks: inTime.slice(begin, begin + 100).map(({ name }) => ({
        quantumTaskArn: `arn:${name}`,
        deviceArn: sv1,
        shots: 1,
        outputS3Directory: `tasks/${name}/1`,
      })),
      ...(begin + 100 < inTime.length && { nextToken: String(begin + 100) }),
    }
  }
  const executor = createBraketTaskExecutor({
    braketIn: () => ({ send: send as unknown as BraketClient['send'] }),
    output: { bucket: 'bucket', keyPrefix: 'tasks' },
    readText: async () => '',
    clock,
  })
  const options = executor.optionsSchema.parse({ program: 'qubit q;' })
  const sought = (madeBetween: SoughtJob['madeBetween']): SoughtJob => ({ ...aJobSpec({ options }), madeBetween })
  return { executor, clock, device, sought }
}

/** Tasks of others, ten a second from `someTime` on. */
const others = (count: number): readonly Made[] =>
  Array.from({ length: count }, (_, n) => ({ name: aJobSpec({ options: {} }).name, at: someTime + n * 100 }))

function aDeadline() {
  const abort = new AbortController()
  const deadline: Deadline = { at: someTime, signal: abort.signal }
  return { deadline, end: () => abort.abort() }
}

const window = [someTime - 15 * minute, someTime + 20 * minute] as const

describe('a search by time', () => {
  test('finds 16 lost claims among 10,000 tasks with one search, within a minute', async () => {
    const made = [...others(10_000)]
    const { executor, clock, device, sought } = aDevice(made)
    const jobs = Array.from({ length: 16 }, () => sought(window))
    made.push(...jobs.slice(0, 8).map(({ name }, n) => ({ name, at: someTime + n * minute })))
    const found = await executor.find(jobs)
    expect(found.map(({ outcome }) => outcome)).toEqual([...Array(8).fill('found'), ...Array(8).fill('none')])
    expect(found[3]).toMatchObject({ handle: { arn: `arn:${jobs[3]?.name}`, name: jobs[3]?.name } })
    expect(device.pages).toBeLessThan(120)
    expect(clock.now()).toBeLessThan(60_000)
  })

  test('leaves out the time in which none of the jobs can have been made', async () => {
    const { executor, device, sought } = aDevice([])
    const week = 7 * 24 * 60 * minute
    const found = await executor.find([sought(window), sought([window[0] + week, window[1] + week])])
    expect(found).toEqual([{ outcome: 'none' }, { outcome: 'none' }])
    expect(device.pages).toBe(14)
  })

  test('ends with the last job that is found', async () => {
    const { executor, device, sought } = aDevice([])
    const job = sought(window)
    const { executor: full, device: asked } = aDevice([{ name: job.name, at: window[0] }, ...others(1000)])
    await full.find([job])
    expect(asked.pages).toBe(1)
    await executor.find([job])
    expect(device.pages).toBe(7)
  })

  test('that its deadline ends goes on from where it came to, until it is through', async () => {
    const made = [...others(12_000)]
    const { executor, device, sought } = aDevice(made)
    const job = sought(window)
    made.push({ name: job.name, at: someTime + 19 * minute })
    let from: number = window[0]
    for (let look = 1; ; look++) {
      expect(look).toBeLessThan(10)
      const { deadline, end } = aDeadline()
      const begun = device.pages
      // Enough for one slice at this rate, and not for two.
      device.onPage = (page) => page - begun >= 40 && end()
      const [found] = await executor.find([{ ...job, madeBetween: [from, window[1]] }], deadline)
      if (found?.outcome === 'found') break
      expect(found).toMatchObject({ outcome: 'unknown' })
      const { searchedTo = 0 } = found as { searchedTo?: number }
      expect(searchedTo).toBeGreaterThan(from)
      from = searchedTo
    }
  })

  test('keeps what it has found when a later page fails', async () => {
    const made = [...others(5000)]
    const { executor, device, sought } = aDevice(made)
    const [early, late] = [sought(window), sought(window)]
    made.unshift({ name: early.name, at: window[0] })
    device.onPage = (page) => {
      if (page === 10) throw throttled()
    }
    const [first, second] = await executor.find([early, late])
    expect(first).toMatchObject({ outcome: 'found' })
    expect(second).toMatchObject({ outcome: 'unknown', searchedTo: someTime })
  })

  test('whose first page fails is no search', async () => {
    const { executor, device, sought } = aDevice([])
    device.onPage = () => {
      throw throttled()
    }
    await expect(executor.find([sought(window)])).rejects.toMatchObject({ code: 'BackendUnavailable' })
  })

  test('that waits for the quota ends with its deadline', async () => {
    const { executor, device, sought } = aDevice([])
    const { deadline, end } = aDeadline()
    end()
    await expect(executor.find([sought(window)], deadline)).rejects.toMatchObject({ arrived: 'no' })
    expect(device.pages).toBe(0)
  })
})
