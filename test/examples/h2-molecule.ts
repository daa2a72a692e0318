import { readFileSync } from 'node:fs'

interface Molecule {
  /** In hartree, by Pauli strings such as `Z0Z1`. */
  readonly terms: Readonly<Record<string, number>>
  readonly nuclearRepulsionHartree: number
  /** As published, without the repulsion. */
  readonly groundStateHartree: number
}

export const molecule: Molecule = JSON.parse(
  readFileSync(new URL('../../examples/h2/molecule.json', import.meta.url), 'utf8'),
)

export const expectedEnergy = molecule.groundStateHartree + molecule.nuclearRepulsionHartree

type Matrix = readonly (readonly number[])[]

const paulis: Readonly<Record<string, Matrix>> = {
  I: [
    [1, 0],
    [0, 1],
  ],
  X: [
    [0, 1],
    [1, 0],
  ],
  Z: [
    [1, 0],
    [0, -1],
  ],
}

/** In the basis |q1 q0>: 00, 01, 10, 11. */
export function hamiltonian(): Matrix {
  const at = (pauli: string, row: number, column: number) => paulis[pauli]?.[row]?.[column] ?? Number.NaN
  const indexes = [0, 1, 2, 3]
  return indexes.map((i) =>
    indexes.map((j) =>
      Object.entries(molecule.terms).reduce((sum, [term, coefficient]) => {
        const of = (qubit: number) => new RegExp(`([XYZ])${qubit}`).exec(term)?.[1] ?? 'I'
        return sum + coefficient * at(of(0), i & 1, j & 1) * at(of(1), i >> 1, j >> 1)
      }, 0),
    ),
  )
}

/** Lowest eigenvalue of the Hamiltonian, by power iteration on what is left of a bound above all, and the repulsion. */
export function exactEnergy(): number {
  const rows = hamiltonian()
  const bound = Object.values(molecule.terms).reduce((sum, term) => sum + Math.abs(term), 0)
  let vector = [0.5, 0.4, 0.3, 0.2]
  let eigenvalue = 0
  for (let step = 0; step < 1000; step++) {
    const next = vector.map(
      (own, i) => bound * own - vector.reduce((sum, value, j) => sum + (rows[i]?.[j] ?? 0) * value, 0),
    )
    eigenvalue = Math.hypot(...next)
    vector = next.map((value) => value / eigenvalue)
  }
  return bound - eigenvalue + molecule.nuclearRepulsionHartree
}
