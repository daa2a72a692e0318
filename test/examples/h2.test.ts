import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { exactEnergy, expectedEnergy, hamiltonian, molecule } from './h2-molecule.ts'

const directory = mkdtempSync(join(tmpdir(), 'quench-h2-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('the Hamiltonian of examples/h2', () => {
  it('has the ground state energy that is published', () => {
    expect(exactEnergy()).toBeCloseTo(expectedEnergy, 9)
    // Total energy of H2 in STO-3G at 0.735 Å by full configuration interaction, from Qiskit Nature's tutorials.
    expect(exactEnergy()).toBeCloseTo(-1.137306035753, 9)
  })

  it('has the nuclear repulsion of two protons at that distance', () => {
    // Source: CODATA 2018, Bohr radius in Å.
    expect(molecule.nuclearRepulsionHartree).toBeCloseTo(0.529177210903 / 0.735, 6)
  })

  it('reaches its ground state with the ansatz of the circuits', () => {
    const energyOf = (theta: number) => {
      // Basis |q1 q0>: |01> is both electrons in the bonding orbital, |10> both in the antibonding one.
      const state = [0, Math.cos(theta / 2), Math.sin(theta / 2), 0]
      const rows = hamiltonian()
      return rows.reduce(
        (sum, row, i) => sum + row.reduce((r, h, j) => r + (state[i] ?? 0) * h * (state[j] ?? 0), 0),
        0,
      )
    }
    const energies = Array.from({ length: 2001 }, (_, n) => energyOf((n / 1000 - 1) * Math.PI))
    expect(Math.min(...energies) + molecule.nuclearRepulsionHartree).toBeCloseTo(exactEnergy(), 5)
  })
})

describe('the report of examples/h2', () => {
  const at = (name: string) => pathToFileURL(join(directory, name)).href
  const report = (energyHartree: number) => {
    const fit = {
      ...{ coefficients: [-0.32, -0.79, 0.18], theta: -0.22, energyHartree, errorHartree: 0.005 },
      ...{ chiSquared: 5, degreesOfFreedom: 5 },
      points: [{ theta: 0, energy: -1.11, error: 0.01, shots: 2 }],
    }
    writeFileSync(join(directory, 'fit'), JSON.stringify(fit))
    const program = fileURLToPath(new URL('../../examples/h2/report.mjs', import.meta.url))
    const env = { ...process.env, QUENCH_INPUTS: JSON.stringify({ fit: at('fit') }), QUENCH_RESULT: at('report') }
    return spawnSync('node', [program], { env, encoding: 'utf8' })
  }

  it('fails when the minimum is not where it should be', () => {
    expect(report(expectedEnergy + 0.005)).toMatchObject({ status: 0, stderr: '' })
    expect(readFileSync(join(directory, 'report'), 'utf8')).not.toContain('FAIL')
    expect(report(expectedEnergy + 0.025)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^FAIL: the minimum is within/),
    })
  })
})
