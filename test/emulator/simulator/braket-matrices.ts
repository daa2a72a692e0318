/** Real and imaginary part. */
export type Complex = readonly [number, number]

type Matrix = readonly (readonly Complex[])[]

const add = ([a, b]: Complex, [c, d]: Complex): Complex => [a + c, b + d]
const multiply = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c]
/** e to the i times angle. */
const turn = (angle: number): Complex => [Math.cos(angle), Math.sin(angle)]
const scale = (matrix: Matrix, by: Complex): Matrix => matrix.map((row) => row.map((cell) => multiply(cell, by)))
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, r) => row.map((cell, c) => add(cell, b[r]?.[c] ?? [0, 0])))
const kron = (a: Matrix, b: Matrix): Matrix =>
  a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((x) => rowB.map((y) => multiply(x, y)))))
const real = (rows: readonly (readonly number[])[]): Matrix => rows.map((row) => row.map((cell) => [cell, 0]))
const diagonal = (...cells: Complex[]): Matrix =>
  cells.map((cell, r) => cells.map((_, c): Complex => (r === c ? cell : [0, 0])))

const one: Complex = [1, 0]
const zero: Complex = [0, 0]
const identity = (size: number) => diagonal(...Array<Complex>(size).fill(one))
const x = real([
  [0, 1],
  [1, 0],
])
const y: Matrix = [
  [zero, [0, -1]],
  [[0, 1], zero],
]
const z = real([
  [1, 0],
  [0, -1],
])
/** exp(-i angle/2 P) for a P that is its own inverse. */
const rotation = (pauli: Matrix, angle: number): Matrix =>
  plus(scale(identity(pauli.length), [Math.cos(angle / 2), 0]), scale(pauli, [0, -Math.sin(angle / 2)]))
/** cos X + sin Y. */
const between = (angle: number): Matrix => [
  [zero, turn(-angle)],
  [turn(angle), zero],
]
const v = scale(
  [
    [
      [1, 1],
      [1, -1],
    ],
    [
      [1, -1],
      [1, 1],
    ],
  ],
  [0.5, 0],
)
const vi = scale(
  [
    [
      [1, -1],
      [1, 1],
    ],
    [
      [1, 1],
      [1, -1],
    ],
  ],
  [0.5, 0],
)
const controlled = (matrix: Matrix): Matrix => {
  const size = matrix.length
  return Array.from({ length: 2 * size }, (_, r) =>
    Array.from({ length: 2 * size }, (_, c): Complex => {
      if (r < size || c < size) return r === c ? one : zero
      return matrix[r - size]?.[c - size] ?? zero
    }),
  )
}
const swapLike = (first: Complex, a: Complex, b: Complex): Matrix => [
  [first, zero, zero, zero],
  [zero, a, b, zero],
  [zero, b, a, zero],
  [zero, zero, zero, one],
]

/** The matrices of Braket's gates as its SDK documents them (`braket.circuits.gates`); the first qubit counts most. */
export const gateMatrices: Readonly<Record<string, Matrix>> = {
  i: identity(2),
  si: diagonal(one, [0, -1]),
  ti: diagonal(one, turn(-Math.PI / 4)),
  v,
  vi,
  'rx(-1.3)': rotation(x, -1.3),
  'ry(-1.3)': rotation(y, -1.3),
  'rz(-1.3)': rotation(z, -1.3),
  'rz(7.5)': rotation(z, 7.5),
  'phaseshift(-0.6)': diagonal(one, turn(-0.6)),
  'gpi(-0.6)': between(-0.6),
  'gpi2(-0.6)': rotation(between(-0.6), Math.PI / 2),
  'prx(-1.3, 0.4)': rotation(between(0.4), -1.3),
  cnot: controlled(x),
  ccnot: controlled(controlled(x)),
  cv: controlled(v),
  'cphaseshift(0.8)': diagonal(one, one, one, turn(0.8)),
  'cphaseshift00(0.8)': diagonal(turn(0.8), one, one, one),
  'cphaseshift01(0.8)': diagonal(one, turn(0.8), one, one),
  'cphaseshift10(0.8)': diagonal(one, one, turn(0.8), one),
  'xx(-1.3)': rotation(kron(x, x), -1.3),
  'yy(-1.3)': rotation(kron(y, y), -1.3),
  'zz(-1.3)': rotation(kron(z, z), -1.3),
  'xy(-1.3)': swapLike(one, [Math.cos(-0.65), 0], [0, Math.sin(-0.65)]),
  iswap: swapLike(one, zero, [0, 1]),
  'pswap(0.8)': swapLike(one, zero, turn(0.8)),
  ecr: scale(plus(kron(x, identity(2)), scale(kron(y, x), [-1, 0])), [Math.SQRT1_2, 0]),
  'ms(0.3, -0.5, -1.3)': rotation(kron(between(0.3), between(-0.5)), -1.3),
}

/** Apply a matrix to some qubits of a state; qubit 0 counts most. */
function apply(state: readonly Complex[], matrix: Matrix, targets: readonly number[]): readonly Complex[] {
  const qubits = Math.log2(state.length)
  const place = (target: number) => qubits - 1 - target
  const partOf = (index: number) => targets.reduce((part, target) => 2 * part + ((index >> place(target)) & 1), 0)
  const withPart = (index: number, part: number) =>
    targets.reduce((changed, target, n) => {
      const bit = (part >> (targets.length - 1 - n)) & 1
      return (changed & ~(1 << place(target))) | (bit << place(target))
    }, index)
  return state.map((_, index) =>
    (matrix[partOf(index)] ?? []).reduce<Complex>(
      (sum, cell, part) => add(sum, multiply(cell, state[withPart(index, part)] ?? zero)),
      zero,
    ),
  )
}

const hadamard = scale(
  real([
    [1, 1],
    [1, -1],
  ]),
  [Math.SQRT1_2, 0],
)

/**
 * The probabilities of: H on qubit 0, `ry(before * n); rz(before + n)` on every target n, the gate (controlled by qubit
 * 0 or not), H on qubit 0 again, and the turns by `after`.
 */
export function circuitProbabilities(
  matrix: Matrix,
  targets: readonly number[],
  { isControlled, before, after }: { isControlled: boolean; before: number; after: number },
): readonly number[] {
  let state: readonly Complex[] = Array.from({ length: 2 ** (targets.length + 1) }, (_, n) => (n === 0 ? one : zero))
  const turnAll = (by: number) => {
    for (const n of targets) {
      state = apply(state, rotation(y, by * n), [n])
      state = apply(state, rotation(z, by + n), [n])
    }
  }
  state = apply(state, hadamard, [0])
  turnAll(before)
  state = isControlled ? apply(state, controlled(matrix), [0, ...targets]) : apply(state, matrix, targets)
  state = apply(state, hadamard, [0])
  turnAll(after)
  return state.map(([re, im]) => re * re + im * im)
}
