import { afterAll, describe, expect, test } from 'vitest'
import { translateProgram } from '../../../lib/emulator/simulator/braket-dialect.ts'
import { type ResultTypeValue, resultValues } from '../../../lib/emulator/simulator/braket-results.ts'
import { createSimulators } from '../../../lib/emulator/simulator/braket-simulator.ts'
import { circuitProbabilities, gateMatrices } from './braket-matrices.ts'

const simulators = createSimulators({ keep: 2 })
afterAll(() => simulators.close())

interface Run {
  /** How often each outcome came, as a share. */
  readonly shares: Readonly<Record<string, number>>
  readonly measuredQubits: readonly number[]
  readonly results: readonly ResultTypeValue[]
}

async function run(source: string, shots = 1000, inputs: Record<string, number> = {}, seed?: number): Promise<Run> {
  const { program, measuredQubits, results } = translateProgram(source, inputs)
  const qubits = measuredQubits.length
  const end = await simulators.run({ program, shots, qubits }, seed).end
  if (!end || 'failure' in end) throw new Error(end?.failure ?? 'stopped')
  const rows = Array.from({ length: shots }, (_, shot) => [...end.bits.subarray(shot * qubits, (shot + 1) * qubits)])
  const shares: Record<string, number> = {}
  for (const row of rows) shares[row.join('')] = (shares[row.join('')] ?? 0) + 1 / shots
  return { shares, measuredQubits, results: resultValues(results, rows, measuredQubits) }
}

/** Six standard deviations: a true simulator fails one time in hundreds of millions. */
function expectShare(share = 0, probability: number, shots: number): void {
  const tolerance = 6 * Math.sqrt((probability * (1 - probability)) / shots) + 1e-9
  expect(Math.abs(share - probability)).toBeLessThanOrEqual(tolerance)
}

const valuesOf = (result: ResultTypeValue | undefined) => (result?.value ?? []) as readonly number[]

describe('a circuit', () => {
  test('makes a Bell pair', async () => {
    const { shares, measuredQubits } = await run('OPENQASM 3;\nqubit[2] q;\nh q[0];\ncnot q[0], q[1];')
    expect(Object.keys(shares).sort()).toEqual(['00', '11'])
    expectShare(shares['00'], 0.5, 1000)
    expect(measuredQubits).toEqual([0, 1])
  })

  test('makes a GHZ state of five', async () => {
    const chain = Array.from({ length: 4 }, (_, n) => `cnot q[${n}], q[${n + 1}];`).join('\n')
    const { shares } = await run(`OPENQASM 3.0;\nqubit[5] q;\nbit[5] b;\nh q[0];\n${chain}\nb = measure q;`)
    expect(Object.keys(shares).sort()).toEqual(['00000', '11111'])
    expectShare(shares['11111'], 0.5, 1000)
  })

  test.each([0, 0.7, -1.2, 3.9])('takes theta = %s from its inputs', async (theta) => {
    const source = 'OPENQASM 3;\ninput float theta;\nqubit[2] q;\nry(theta) q[0];\ncnot q[0], q[1];'
    const { shares } = await run(source, 2000, { theta })
    expectShare(shares['11'], Math.sin(theta / 2) ** 2, 2000)
    expectShare(shares['00'], Math.cos(theta / 2) ** 2, 2000)
  })

  test('gives the same shots for the same seed, and others for another', async () => {
    const source = 'qubit[8] q; h q;'
    const [first, again, other] = await Promise.all([
      run(source, 50, {}, 7),
      run(source, 50, {}, 7),
      run(source, 50, {}, 8),
    ])
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
  })
})

describe("Braket's dialect", () => {
  test.each<[string, string, Record<string, number>, number[]]>([
    ['physical qubits', 'bit[2] b;\nx $3;\nb[0] = measure $3;\nb[1] = measure $5;', { '10': 1 }, [3, 5]],
    ['physical qubits, not measured', 'x $2;\ni $7;', { '10': 1 }, [2, 7]],
    ['a verbatim box', '#pragma braket verbatim\nbox{\nx $0;\n}', { '1': 1 }, [0]],
    ['registers one after the other', 'qubit[2] a;\nqubit b;\nx b;', { '001': 1 }, [0, 1, 2]],
    [
      'measurements in an order of their own',
      'qubit[2] q;\nx q[1];\nmeasure q[1];\nmeasure q[0];',
      { '10': 1 },
      [1, 0],
    ],
    ['the old words', 'qreg q[2];\ncreg c[2];\nx q[1];\nmeasure q -> c;', { '01': 1 }, [0, 1]],
    ['a declaration that measures', 'qubit[2] q;\nx q;\nbit[2] b = measure q;', { '11': 1 }, [0, 1]],
    ['a slice', 'qubit[3] q;\nbit[2] b;\nx q[1];\nb[0:1] = measure q[1:2];', { '10': 1 }, [1, 2]],
    ['a constant for a size', 'const int n = 3;\nqubit[n] q;\nx q;', { '111': 1 }, [0, 1, 2]],
    ['an output', 'qubit q;\noutput bit b;\nx q;\nb = measure q;', { '1': 1 }, [0]],
    [
      'a bit that decides',
      'qubit[2] q;\nbit b;\nx q[0];\nb = measure q[0];\nif (b) { x q[1]; }\nmeasure q[1];',
      { '11': 1 },
      [0, 1],
    ],
    [
      'a loop whose variable is called like a gate',
      'qubit[3] q;\nfor int i in [0:2] { x q[i]; }\ni q[0];',
      { '111': 1 },
      [0, 1, 2],
    ],
    ['whole numbers for angles', 'qubit q;\nrx(2) q;\nrx(1 - 3) q;', { '0': 1 }, [0]],
    ['comments', '// x\n/* y\n z */ OPENQASM 3; // OPENQASM 2\nqubit q; /* x q; */ x q;', { '1': 1 }, [0]],
    ['an include of the standard gates', 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit q;\nx q;', { '1': 1 }, [0]],
    ['a gate of its own', 'gate twice a { x a; x a; }\nqubit q;\ntwice q;\nx q;', { '1': 1 }, [0]],
    ["a gate of its own under Braket's name", 'gate si a { x a; }\nqubit q;\nsi q;', { '1': 1 }, [0]],
    ['a whole input', 'input int n;\nqubit[2] q;\nfor int k in [1:n] { x q[0]; }', { '10': 1 }, [0, 1]],
    ['pragmas of others', '#pragma somebody else\nqubit q;\nx q;', { '1': 1 }, [0]],
  ])('has %s', async (_, source, expected, measured) => {
    const { shares, measuredQubits } = await run(source, 20, { n: 3 })
    expect(Object.keys(shares)).toEqual(Object.keys(expected))
    expect(measuredQubits).toEqual(measured)
  })
})

describe('a gate of Braket', () => {
  const shots = 800
  const isRotation = /^(?:[xyz]{2}|r[xyz]|prx|ms)\(/
  const cases = Object.entries(gateMatrices).flatMap(([gate, matrix]) => {
    const targets = Array.from({ length: Math.log2(matrix.length) }, (_, n) => n + 1)
    const one = { gate, matrix, targets }
    // Rotations have another form where nothing controls them.
    return isRotation.test(gate)
      ? [
          { ...one, isControlled: true },
          { ...one, isControlled: false },
        ]
      : [{ ...one, isControlled: true }]
  })
  type Case = (typeof cases)[number]

  /** The gate between turns, on a register of its own, measured at once: so many fit into one run. */
  const circuit = ({ gate, targets, isControlled }: Case, register: string) => {
    const turn = (by: number) =>
      targets.map((n) => `ry(${by * n}) ${register}[${n}]; rz(${by + n}) ${register}[${n}];`).join(' ')
    const operands = targets.map((n) => `${register}[${n}]`).join(', ')
    const call = isControlled ? `ctrl @ ${gate} ${register}[0], ${operands};` : `${gate} ${operands};`
    const size = targets.length + 1
    return `qubit[${size}] ${register}; h ${register}[0]; ${turn(0.7)} ${call} h ${register}[0]; ${turn(1.1)} measure ${register};`
  }
  const groups = Array.from({ length: Math.ceil(cases.length / 8) }, (_, n) => cases.slice(8 * n, 8 * n + 8))
  const runs = new Map<number, Promise<Run>>()
  const runGroup = (group: number) => {
    const program = () => groups[group]?.map((one, n) => circuit(one, `q${n}`)).join('\n') ?? ''
    const running = runs.get(group) ?? run(program(), shots)
    runs.set(group, running)
    return running
  }

  test.each(cases)('$gate acts as its matrix says, controlled: $isControlled', async (one) => {
    const index = cases.indexOf(one)
    const { shares } = await runGroup(Math.floor(index / 8))
    const before = cases.slice(index - (index % 8), index)
    const from = before.reduce((sum, { targets }) => sum + targets.length + 1, 0)
    const bits = one.targets.length + 1
    const own = new Map<string, number>()
    for (const [outcome, share] of Object.entries(shares)) {
      const mine = outcome.slice(from, from + bits)
      own.set(mine, (own.get(mine) ?? 0) + share)
    }
    const { matrix, targets, isControlled } = one
    const probabilities = circuitProbabilities(matrix, targets, { isControlled, before: 0.7, after: 1.1 })
    for (const [outcome, probability] of probabilities.entries()) {
      expectShare(own.get(outcome.toString(2).padStart(bits, '0')), probability, shots)
    }
  })
})

describe('a result pragma', () => {
  const bell = 'OPENQASM 3;\nqubit[2] q;\nh q[0];\ncnot q[0], q[1];\n'

  test('gives the probabilities of some qubits, or of all', async () => {
    const { results } = await run(
      `${bell}#pragma braket result probability q[1], q[0]\n#pragma braket result probability`,
    )
    expect(results[0]).toMatchObject({
      type: { type: 'probability', targets: [1, 0] },
      value: [expect.any(Number), 0, 0, expect.any(Number)],
    })
    expectShare(valuesOf(results[0])[3], 0.5, 1000)
    expect(results[1]?.type).toEqual({ type: 'probability' })
  })

  test.each([
    ['x(q[0]) @ x(q[1])', 1],
    ['y(q[0]) @ y(q[1])', -1],
    ['z(q[0]) @ z(q[1])', 1],
    ['i(q[0]) @ i(q[1])', 1],
    ['h(q[0]) @ h(q[1])', 1],
  ])('gives the expectation of %s in a Bell pair', async (observable, value) => {
    const { results } = await run(`${bell}#pragma braket result expectation ${observable}`)
    const words = [...observable.matchAll(/([a-z])\(/g)].map(([, word]) => word)
    expect(results).toEqual([{ type: { type: 'expectation', observable: words, targets: [0, 1] }, value }])
  })

  test('gives samples and variances, of one qubit or of each', async () => {
    const pragmas = '#pragma braket result sample z(q[0])\n#pragma braket result variance z all'
    const { results } = await run(`qubit[2] q;\nx q[0];\nh q[1];\n${pragmas}`, 100)
    expect(results[0]).toEqual({
      type: { type: 'sample', observable: ['z'], targets: [0] },
      value: Array(100).fill(-1),
    })
    expect(results[1]).toEqual({ type: { type: 'variance', observable: ['z'], targets: [0] }, value: 0 })
    expect(results[2]?.type.targets).toEqual([1])
    expect(results[2]?.value).toBeGreaterThan(0.6)
  })
})

describe('a program that cannot run here says why, and in which line', () => {
  test.each([
    ['an unknown gate', 'OPENQASM 3;\nqubit q;\nfoo q;', /^line 3: undefined symbol: foo/],
    ['a missing semicolon', 'OPENQASM 3;\nqubit q;\nx q\ny q;', /^line 4: expected `;`/],
    [
      'noise',
      'qubit q;\n#pragma braket noise bit_flip(0.1) q[0]',
      /^line 2: "#pragma braket noise bit_flip\(0.1\) q\[0\]" is not possible/,
    ],
    ['a unitary', 'qubit q;\n\n#pragma braket unitary([[1, 0], [0, 1]]) q', /^line 3: .*unitary/],
    ['a state vector', 'qubit q;\n#pragma braket result state_vector', /^line 2: .*state_vector.* is not possible/],
    [
      'a matrix to observe',
      'qubit q;\n#pragma braket result expectation hermitian([[1, 0], [0, 1]]) q',
      /^line 2: .*hermitian/,
    ],
    [
      'two bases for a qubit',
      'qubit[2] q;\n#pragma braket result expectation z all\n#pragma braket result sample x(q[0])',
      /^line 3: q\[0\] is measured in z/,
    ],
    ['measurements besides results', 'qubit q;\nmeasure q;\n#pragma braket result probability', /^line 3: .*either/],
    [
      'an input without value',
      'OPENQASM 3;\ninput float theta;\nqubit q;\nrx(theta) q;',
      /^line 2: there is no value for the input theta/,
    ],
    ['an input that is no number', 'input bit b;\nqubit q;', /^line 1: .*input/],
    ['OpenQASM 2', '\nOPENQASM 2.0;\nqreg q[1];', /^line 2: .*only OpenQASM 3/],
    ['another include', 'include "other.inc";\nqubit q;', /^line 1: include "other.inc"|^line 1: "include/],
    [
      'a measurement in a block',
      'qubit q;\nbit b;\nif (true) {\n b = measure q;\n}',
      /^line 4: a measurement inside a block/,
    ],
    [
      'a measurement of who knows what',
      'qubit[2] q;\nlet a = q[0:1];\nmeasure a;',
      /^line 3: cannot tell which qubits "a"/,
    ],
    ['a qubit out of range', 'qubit[2] q;\nmeasure q[2];', /^line 2: "q\[2\]" is out of range/],
    ['a qubit that is measured twice', 'qubit q;\nmeasure q;\nmeasure q;', /^line 3: q is measured twice/],
    ['bits that do not fit', 'qubit[2] q;\nbit b;\nb = measure q;', /^line 3: 2 qubits are measured into 1 bits/],
    ['both kinds of qubits', 'x $0;\nqubit q;', /^line 2: .*not both/],
    ['too many qubits', 'qubit[35] q;', /35 qubits; up to 34/],
    ['no qubits', 'bit b;', /no qubits/],
    ['nothing', '', /no qubits/],
    ['pulses', 'qubit q;\ncal { }', /^line 2/],
    ['a delay', 'qubit q;\nx q;\ndelay[100ns] q;', /^line 3: delay/],
    ['an index that only a run finds out', 'qubit[2] q;\nint n = 5;\nx q[n];', /^line 3: .*index out of range/],
    [
      'half of an angle that is a parameter',
      'gate g(a) q {\n rx(a / 2) q;\n}\nqubit q;\ng(1) q;',
      /^line 2: "a \/ 2".*cannot be divided/,
    ],
    [
      'control of what rotates by a parameter',
      'gate g(a) q { rx(a) q; }\nqubit[2] q;\nctrl @ g(1) q[0], q[1];',
      /^line 3: g cannot be controlled/,
    ],
  ])('%s', async (_, source, message) => {
    await expect(run(source, 1)).rejects.toThrow(message)
  })
})
