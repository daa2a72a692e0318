import { inputs, readResult, writeResult } from './results.mjs'

// Fits E(θ) = a + b cos θ + c sin θ, which is exact for this ansatz, by weighted least squares, and finds its minimum
// a − √(b² + c²). The standard error of the minimum follows from the covariance of a, b and c to first order.
const points = await readResult(inputs.energies)
const rows = points.map(({ theta, energy, error }) => ({
  basis: [1, Math.cos(theta), Math.sin(theta)],
  energy,
  weight: 1 / error ** 2,
}))

const sumOver = (term) => rows.reduce((sum, row) => sum + row.weight * term(row), 0)
const normal = [0, 1, 2].map((i) => [0, 1, 2].map((j) => sumOver(({ basis }) => basis[i] * basis[j])))
const covariance = invert(normal)
const [a, b, c] = times(
  covariance,
  [0, 1, 2].map((i) => sumOver(({ basis, energy }) => basis[i] * energy)),
)

const depth = Math.hypot(b, c)
const gradient = [1, -b / depth, -c / depth]
const result = {
  coefficients: [a, b, c],
  theta: Math.atan2(-c, -b),
  energyHartree: a - depth,
  errorHartree: Math.sqrt(dot(gradient, times(covariance, gradient))),
  chiSquared: sumOver(({ basis, energy }) => (energy - dot(basis, [a, b, c])) ** 2),
  degreesOfFreedom: points.length - 3,
  points,
}
console.log(
  `E = ${result.energyHartree.toFixed(4)} ± ${result.errorHartree.toFixed(4)} at θ = ${result.theta.toFixed(4)}`,
)
await writeResult(result)

function dot(left, right) {
  return left.reduce((sum, value, index) => sum + value * right[index], 0)
}

function times(matrix, vector) {
  return matrix.map((row) => dot(row, vector))
}

/** Of a 3 × 3 matrix, by its cofactors. */
function invert(matrix) {
  const at = (i, j) => matrix[i % 3][j % 3]
  const cofactor = (i, j) => at(i + 1, j + 1) * at(i + 2, j + 2) - at(i + 1, j + 2) * at(i + 2, j + 1)
  const determinant = dot(
    matrix[0],
    [0, 1, 2].map((j) => cofactor(0, j)),
  )
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => cofactor(j, i) / determinant))
}
