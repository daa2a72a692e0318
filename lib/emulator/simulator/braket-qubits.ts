import { ProgramError } from './braket-statements.ts'

/** The qubits and bits that a program declares, and how expressions name them. */
export interface Registers {
  readonly qubits: Map<string, Register>
  readonly bits: Map<string, Register>
  readonly constants: Map<string, number>
  /** Physical qubits in use: `$n`. */
  readonly physical: Set<number>
}

interface Register {
  /** Undefined for a single one, which takes no index. */
  readonly size?: number
  /** Number of its first qubit; those of bits mean nothing. */
  readonly first: number
}

/** One qubit or bit: as OpenQASM names it, and the number that Braket gives it. */
export interface Element {
  readonly text: string
  readonly index: number
}

/** Physical qubits live in this register: the simulator has no others. */
export const physicalRegister = 'quench_q'

const declaration =
  /^(?:(qubit|bit)\s*(?:\[([^\]]+)\])?\s*([A-Za-z_]\w*)|(qreg|creg)\s+([A-Za-z_]\w*)\s*(?:\[([^\]]+)\])?)/

export function createRegisters(): Registers {
  return { qubits: new Map(), bits: new Map(), constants: new Map(), physical: new Set() }
}

/** Note what a statement declares, where it declares qubits, bits or a constant number. */
export function declare(registers: Registers, text: string, line: number): 'qubits' | 'bits' | undefined {
  const [, constant, value] = /^const\s+u?int(?:\s*\[[^\]]*\])?\s+([A-Za-z_]\w*)\s*=\s*(\d+)$/.exec(text) ?? []
  if (constant !== undefined) registers.constants.set(constant, Number(value))
  const match = declaration.exec(text)
  if (!match) return undefined
  const [, kind = match[4], sizeText = match[6], name = match[5] ?? ''] = match
  const known = kind === 'qubit' || kind === 'qreg' ? registers.qubits : registers.bits
  const first = [...known.values()].reduce((sum, { size = 1 }) => sum + size, 0)
  const size = sizeText === undefined ? {} : { size: evaluate(registers, sizeText, line) }
  known.set(name, { first, ...size })
  return known === registers.qubits ? 'qubits' : 'bits'
}

/** Every qubit that the program may use, in Braket's numbering. */
export function allQubits({ qubits, physical }: Registers): readonly Element[] {
  const used = [...physical].sort((a, b) => a - b)
  return [
    ...[...qubits].flatMap(([name, register]) => elementsOf(name, register)),
    ...used.map((index) => ({ text: `${physicalRegister}[${index}]`, index })),
  ]
}

/** The elements behind `q`, `q[0]`, `q[0:1]`, `q[-1]` or `$3`. */
export function resolve(registers: Registers, kind: 'qubits' | 'bits', text: string, line: number): readonly Element[] {
  const [, physical] = /^\$(\d+)$/.exec(text) ?? []
  if (physical !== undefined && kind === 'qubits') {
    return [{ text: `${physicalRegister}[${physical}]`, index: Number(physical) }]
  }
  const [, name = '', index] = /^([A-Za-z_]\w*)\s*(?:\[([^\]]+)\])?$/.exec(text) ?? []
  const register = registers[kind].get(name)
  if (!register) throw new ProgramError(line, `cannot tell which ${kind} "${text}" are`)
  const elements = elementsOf(name, register)
  if (index === undefined) return elements
  const [from = 0, to = from] = index.split(':').map((part) => evaluate(registers, part, line, elements.length))
  const chosen = elements.slice(from, to + 1)
  if (from < 0 || to < from || to >= elements.length) {
    throw new ProgramError(line, `"${text}" is out of range: ${name} has ${elements.length} ${kind}`)
  }
  return chosen
}

function elementsOf(name: string, { size, first }: Register): readonly Element[] {
  if (size === undefined) return [{ text: name, index: first }]
  return Array.from({ length: size }, (_, n) => ({ text: `${name}[${n}]`, index: first + n }))
}

/** A number or a constant; below zero it counts from the end. */
function evaluate({ constants }: Registers, text: string, line: number, length = 0): number {
  const trimmed = text.trim()
  const value = /^-?\d+$/.test(trimmed) ? Number(trimmed) : constants.get(trimmed)
  if (value === undefined) throw new ProgramError(line, `"${trimmed}" must be a number or a constant here`)
  return value < 0 ? length + value : value
}
