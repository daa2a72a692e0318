import { writeResult } from './results.mjs'

// Usage: circuits.mjs ANGLES
// Its result is the circuits of the scan: at `#/z/<n>` and `#/x/<n>` OpenQASM programs that measure in the bases Z and X.
//
// The ansatz mixes the two states that the molecule's symmetry allows, both electrons in the bonding orbital and both in
// the antibonding one, and so reaches the exact ground state: cos(θ/2) |q0 = 1, q1 = 0> + sin(θ/2) |q0 = 0, q1 = 1>.
const count = Number(process.argv[2])
// None is a multiple of π/2, where one basis gives a single outcome, and so no idea of its error.
const thetas = Array.from({ length: count }, (_, n) => ((2 * n + 1) / count - 1) * Math.PI)

const inBasis = (rotate) => (theta) =>
  ['OPENQASM 3.0;', 'bit[2] b;', 'qubit[2] q;', 'x q[0];', `ry(${theta.toFixed(12)}) q[1];`, 'cnot q[1], q[0];']
    .concat(rotate, 'b[0] = measure q[0];', 'b[1] = measure q[1];')
    .join('\n')

const z = thetas.map(inBasis([]))
const x = thetas.map(inBasis(['h q[0];', 'h q[1];']))
console.log(`${z.length + x.length} circuits, such as\n\n${x[0]}`)
await writeResult({ thetas, z, x })
