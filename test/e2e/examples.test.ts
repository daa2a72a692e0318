import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectedEnergy } from '../examples/h2-molecule.ts'
import { aRegion, type TestRegion, until } from './a-region.ts'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}.json`, import.meta.url))

describe('the examples', () => {
  let region: TestRegion
  beforeAll(async () => {
    region = await aRegion()
  })
  afterAll(() => region[Symbol.asyncDispose]())

  const dispatch = async (name: string): Promise<string> => {
    const { out } = await region.quench('dispatch', example(name), '--json')
    return JSON.parse(out).dispatchId
  }
  const resultOf = async (dispatchId: string, ...task: string[]) => {
    const { exitCode, out } = await region.quench('result', dispatchId, ...task)
    expect(exitCode).toBe(0)
    return out
  }

  it.concurrent('nested.json makes a graph at run time, runs it, and counts right', async () => {
    const dispatchId = await dispatch('nested')
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 0 })
    const report = { below: 3_000_000, tasks: 3, primes: 216_816, isRight: true }
    expect(JSON.parse(await resultOf(dispatchId))).toEqual(report)
    const slice = JSON.parse(await resultOf(dispatchId, '--task', 'count/from-1000000'))
    expect(slice).toEqual({ from: 1_000_000, to: 2_000_000, primes: 70_435 })
  })

  it.concurrent('h2-energy.json finds the energy of the molecule within its error', async () => {
    const dispatchId = await dispatch('h2-energy')
    expect(await region.quench('watch', dispatchId)).toMatchObject({ exitCode: 0 })

    const fit = JSON.parse(await resultOf(dispatchId, '--task', 'fit'))
    expect(fit.errorHartree).toBeLessThan(0.01)
    expect(Math.abs(fit.energyHartree - expectedEnergy)).toBeLessThan(4 * fit.errorHartree)

    const report = await resultOf(dispatchId)
    expect(report).toContain(fit.energyHartree.toFixed(6))
    expect(report).toContain('PASS')
    expect(report).not.toContain('FAIL')
    const { dispatch: view } = await region.show(dispatchId)
    expect(existsSync(`${fileURLToPath(view.resultUri ?? '')}-report.svg`)).toBe(true)
  })

  it('h2-energy.json leaves nothing when it is cancelled between its measurements', async () => {
    const dispatchId = await dispatch('h2-energy')
    const countIn = async (state: string) => (await region.show(dispatchId)).dispatch.tasks[state as 'running'] ?? 0
    // The circuits, and the first measurement.
    await until('a measurement has succeeded', async () => (await countIn('succeeded')) >= 2)

    const cancelled = await region.quench('cancel', dispatchId, '--yes', '--wait')
    expect(cancelled).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/braket +requested \d+ .*unconfirmed 0/),
    })
    const { dispatch: view, tasks } = await region.show(dispatchId)
    expect(view.state).toBe('cancelled')
    expect(new Set(tasks.map(({ state }) => state))).toEqual(new Set(['succeeded', 'cancelled']))
    const measurements = tasks.filter(({ executor }) => executor === 'braket')
    const stopped = measurements.filter(({ state, handle }) => state === 'cancelled' && handle !== undefined)
    expect(stopped.length).toBeGreaterThan(5)
    expect(tasks.slice(-3)).toMatchObject([{ name: 'energies', attempt: 0 }, { name: 'fit' }, { name: 'report' }])
    expect(await region.liveTasks(dispatchId)).toEqual([])
  })
})
