import { inputs, molecule, readResult, writeResult } from './results.mjs'

// Turns what Braket has measured into energies in hartree, each with its standard error. Runs on an SSH host.
const { terms, nuclearRepulsionHartree } = molecule
const { thetas } = await readResult(inputs.circuits)

/** Eigenvalues of Z0, Z1 (or of X0, X1, where the circuit turned the basis) for an outcome such as 01. */
const signsOf = (outcome) => [...outcome].map((bit) => (bit === '1' ? -1 : 1))
const energyOf = {
  z: ([first, second]) => terms.Z0 * first + terms.Z1 * second + terms.Z0Z1 * first * second,
  x: ([first, second]) => terms.X0X1 * first * second,
}

/** Each shot is a sample of the energy: their mean, and the variance of the mean. */
async function measure(basis, n) {
  const { measurementProbabilities, taskMetadata } = await readResult(inputs[`${basis}-${n}`])
  const samples = Object.entries(measurementProbabilities).map(([outcome, share]) => ({
    share,
    energy: energyOf[basis](signsOf(outcome)),
  }))
  const mean = samples.reduce((sum, { share, energy }) => sum + share * energy, 0)
  const variance = samples.reduce((sum, { share, energy }) => sum + share * (energy - mean) ** 2, 0)
  return { mean, variance: variance / (taskMetadata.shots - 1), shots: taskMetadata.shots }
}

const points = await Promise.all(
  thetas.map(async (theta, n) => {
    const [z, x] = await Promise.all([measure('z', n), measure('x', n)])
    const energy = terms.I + nuclearRepulsionHartree + z.mean + x.mean
    return { theta, energy, error: Math.sqrt(z.variance + x.variance), shots: z.shots + x.shots }
  }),
)
for (const { theta, energy, error } of points)
  console.log(`θ = ${theta.toFixed(4)}  E = ${energy.toFixed(4)} ± ${error.toFixed(4)} hartree`)
await writeResult(points)
