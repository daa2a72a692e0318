import { splitOutside } from './braket-calls.ts'
import { type Element, type Registers, resolve } from './braket-qubits.ts'
import { ProgramError } from './braket-statements.ts'

/** A result that a pragma asks for. */
export interface ResultRequest {
  readonly type: 'probability' | 'expectation' | 'variance' | 'sample'
  /** The Pauli words, one a target; none for a probability. */
  readonly observable: readonly Observable[]
  /** Without targets, all measured qubits: jointly for a probability, one by one for an observable. */
  readonly targets?: readonly Element[]
  readonly line: number
}

type Observable = 'i' | 'x' | 'y' | 'z' | 'h'

export interface ResultTypeValue {
  readonly type: {
    readonly type: ResultRequest['type']
    readonly observable?: readonly Observable[]
    readonly targets?: readonly number[]
  }
  readonly value: number | readonly number[]
}

/** Turns the observable's basis into the one that is measured. Source: Amazon Braket SDK, `braket.circuits.observables`. */
const rotations: Readonly<Record<Observable, (qubit: string) => string>> = {
  i: () => '',
  z: () => '',
  x: (qubit) => `h ${qubit};`,
  y: (qubit) => `z ${qubit}; s ${qubit}; h ${qubit};`,
  h: (qubit) => `ry(-pi / 4.0) ${qubit};`,
}

/** More outcomes than this in a list of probabilities help nobody. */
const probabilityQubits = 20

/**
 * Read `result …`, what follows `#pragma braket`.
 *
 * Source: Braket developer guide, "What OpenQASM features does Braket support?", result type pragmas.
 */
export function parseResult(registers: Registers, text: string, line: number): ResultRequest {
  const [, type = '', rest = ''] = /^result\s+(\w+)\s*(.*)$/.exec(text) ?? []
  const resolveOne = (operand: string) => resolve(registers, 'qubits', operand.trim(), line)
  if (type === 'probability') {
    const operands = rest.trim().replace(/^all$/, '')
    const targets = operands === '' ? {} : { targets: splitOutside(operands, ',').flatMap(resolveOne) }
    return { type, observable: [], line, ...targets }
  }
  if (type !== 'expectation' && type !== 'variance' && type !== 'sample') throw unsupported(line, text)
  const [, bare] = /^([ixyzh])(?:\s+all)?$/.exec(rest.trim()) ?? []
  if (bare !== undefined) return { type, observable: [bare as Observable], line }
  const factors = splitOutside(rest, '@').map((factor) => {
    const [, name, operand = ''] = /^([ixyzh])\s*\(([^()]*)\)$/.exec(factor.trim()) ?? []
    const [target, ...others] = name === undefined ? [] : resolveOne(operand)
    if (name === undefined || !target || others.length > 0) throw unsupported(line, text)
    return { name: name as Observable, target }
  })
  return { type, observable: factors.map(({ name }) => name), targets: factors.map(({ target }) => target), line }
}

/**
 * The gates that bring every asked-for observable into the measured basis.
 *
 * Errors: ProgramError where two results want one qubit in different bases: one run cannot give both.
 */
export function basisRotations(requests: readonly ResultRequest[], all: readonly Element[]): string {
  const bases = new Map<string, Observable>()
  for (const { observable, targets, line, type } of requests) {
    const wanted = type === 'probability' ? (targets ?? all).map(() => 'z' as const) : observable
    for (const [index, target] of (targets ?? all).entries()) {
      const basis = wanted[targets ? index : 0] ?? 'z'
      if (basis === 'i') continue
      const before = bases.get(target.text)
      if (before !== undefined && before !== basis) {
        throw new ProgramError(
          line,
          `${target.text} is measured in ${before} already, and cannot be in ${basis} as well`,
        )
      }
      bases.set(target.text, basis)
    }
  }
  return Array.from(bases, ([qubit, basis]) => rotations[basis](qubit)).join(' ')
}

/** The values that the shots give. `measuredQubits` names the columns of `shots`. */
export function resultValues(
  requests: readonly ResultRequest[],
  shots: readonly (readonly number[])[],
  measuredQubits: readonly number[],
): readonly ResultTypeValue[] {
  const columnOf = (qubit: number) => measuredQubits.indexOf(qubit)
  return requests.flatMap(({ type, observable, targets }): ResultTypeValue[] => {
    const qubits = targets?.map(({ index }) => index)
    if (type === 'probability') {
      const value = probabilities(shots, (qubits ?? measuredQubits).map(columnOf))
      return [{ type: { type, ...(qubits && { targets: qubits }) }, value }]
    }
    const groups = qubits ? [qubits] : measuredQubits.map((qubit) => [qubit])
    return groups.map((group) => {
      const columns = group.filter((_, index) => observable[index] !== 'i').map(columnOf)
      const signs = shots.map((shot) => columns.reduce((sign, column) => (shot[column] === 1 ? -sign : sign), 1))
      return { type: { type, observable, targets: group }, value: summarise(type, signs) }
    })
  })
}

function summarise(type: 'expectation' | 'variance' | 'sample', signs: readonly number[]): number | readonly number[] {
  if (type === 'sample') return signs
  const mean = signs.reduce((sum, sign) => sum + sign, 0) / signs.length
  return type === 'expectation' ? mean : 1 - mean * mean
}

/** The first target is the most significant bit. */
function probabilities(shots: readonly (readonly number[])[], columns: readonly number[]): readonly number[] {
  if (columns.length > probabilityQubits) throw new Error(`a probability takes up to ${probabilityQubits} qubits here`)
  const counts = new Array<number>(2 ** columns.length).fill(0)
  for (const shot of shots) {
    const outcome = columns.reduce((number, column) => 2 * number + (shot[column] ?? 0), 0)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts.map((count) => count / shots.length)
}

function unsupported(line: number, text: string): ProgramError {
  return new ProgramError(
    line,
    `"#pragma braket ${text}" is not possible on a local device: it takes probability, and expectation, variance and sample of i, x, y, z, h`,
  )
}
