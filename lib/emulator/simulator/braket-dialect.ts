import { createGateCalls, defineGate, type GateCalls, rewriteCall } from './braket-calls.ts'
import { gateDefinitions } from './braket-gates.ts'
import { allQubits, createRegisters, declare, type Element, physicalRegister, resolve } from './braket-qubits.ts'
import { basisRotations, parseResult, type ResultRequest } from './braket-results.ts'
import { type Pragma, ProgramError, type Scan, type Statement, scanProgram } from './braket-statements.ts'

/** A program of Braket's dialect, as plain OpenQASM 3 whose only output is the measured bits. */
export interface Translation {
  /** Line for line the source; what was added stands in the first and the last line. */
  readonly program: string
  /** Braket's numbers of the measured qubits: the columns of every shot. */
  readonly measuredQubits: readonly number[]
  readonly results: readonly ResultRequest[]
}

/** Source: Braket developer guide, "State vector simulator (SV1)": up to 34 qubits. */
const qubitLimit = 34
/** The register that every measurement ends in. */
const outputRegister = 'quench_out'

interface Draft {
  readonly scan: Scan
  readonly inputs: Readonly<Record<string, number>>
  readonly registers: ReturnType<typeof createRegisters>
  readonly edits: { readonly start: number; readonly stop: number; readonly text: string }[]
  readonly calls: GateCalls
  readonly measured: Element[]
}

/**
 * Translate a program of Braket's dialect of OpenQASM 3 for a simulator that knows the standard only.
 *
 * Braket's own: gates without `stdgates.inc`, physical qubits `$n`, verbatim boxes, `input` parameters whose values come
 * with the task, result pragmas, and that a program which measures nothing measures everything.
 * Not possible: noise and unitary pragmas, state vectors and other exact results, pulses, measurements inside blocks.
 * Errors: ProgramError, which names the line. What it does not see, the compiler finds, by the same lines.
 * Source: Braket developer guide, "What OpenQASM features does Braket support?".
 */
export function translateProgram(source: string, inputs: Readonly<Record<string, number>> = {}): Translation {
  const scan = scanProgram(source)
  const draft: Draft = {
    scan,
    inputs,
    registers: createRegisters(),
    edits: [],
    calls: createGateCalls(),
    measured: [],
  }
  const { registers, measured } = draft
  notePhysical(draft)
  for (const statement of scan.statements) {
    const { start, stop } = statement
    const text = rewrite(draft, statement)
    // With nothing in its place the `;` goes too: the compiler wants no empty statements.
    if (text !== undefined) draft.edits.push({ start, stop: text === '' ? stop + 1 : stop, text })
  }
  const all = allQubits(registers)
  if (all.length === 0) throw new ProgramError(1, 'the program has no qubits')
  if (all.length > qubitLimit) throw new ProgramError(1, `the program has ${all.length} qubits; up to ${qubitLimit}`)

  const requests = scan.pragmas.flatMap((pragma) => readPragma(draft, pragma))
  const tail: string[] = []
  if (requests.length > 0) {
    const line = requests[0]?.line ?? 1
    if (measured.length > 0) throw new ProgramError(line, 'a program has either measurements or result pragmas')
    tail.push(basisRotations(requests, all))
  }
  if (measured.length === 0) {
    tail.push(...all.map(({ text }, index) => `${outputRegister}[${index}] = measure ${text};`))
    measured.push(...all)
  }
  return {
    program: `${header(draft)} ${applyEdits(draft)} ${tail.join(' ')}`,
    measuredQubits: measured.map(({ index }) => index),
    results: requests,
  }
}

/** Stands before the program, in its first line: so every line keeps its number. */
function header({ registers: { physical }, calls, measured }: Draft): string {
  const gates = gateDefinitions(calls.called, calls.defined)
  const qubits = physical.size > 0 ? `qubit[${Math.max(...physical) + 1}] ${physicalRegister};` : ''
  return `OPENQASM 3.0; include "stdgates.inc"; ${gates} output bit[${measured.length}] ${outputRegister}; ${qubits}`
}

function applyEdits({ scan: { code }, edits }: Draft): string {
  let program = ''
  let at = 0
  for (const { start, stop, text } of edits.toSorted((a, b) => a.start - b.start)) {
    // A statement over several lines stays that long.
    const lines = code.slice(start, stop).replace(/[^\n]/g, '')
    program += code.slice(at, start) + text + lines
    at = stop
  }
  return (program + code.slice(at)).replace(/\$(\d+)/g, `${physicalRegister}[$1]`)
}

function notePhysical({ scan: { code, statements }, registers }: Draft): void {
  for (const [, number] of code.matchAll(/\$(\d+)/g)) registers.physical.add(Number(number))
  const virtual = statements.find(({ text }) => /^(?:qubit|qreg)\b/.test(text))
  if (registers.physical.size > 0 && virtual) {
    throw new ProgramError(virtual.line, 'a program has either physical qubits ($0) or declared ones, not both')
  }
}

/** What to write in place of a statement; undefined to leave it as it is. */
function rewrite(draft: Draft, statement: Statement): string | undefined {
  const { text, line, depth } = statement
  const { registers, calls } = draft
  const [word = ''] = /^\w+/.exec(text) ?? []
  switch (word) {
    case 'OPENQASM':
      if (!/^OPENQASM\s+3(?:\.\d+)?$/.test(text)) throw new ProgramError(line, `"${text}": only OpenQASM 3 runs here`)
      return ''
    case 'include':
      if (!/^include\s+"stdgates\.inc"$/.test(text)) throw new ProgramError(line, `"${text}" is not possible`)
      return ''
    case 'input':
      return bindInput(draft, statement)
    case 'output': {
      // A variable like any other: what leaves the program are its measurements.
      const declared = { ...statement, text: text.replace(/^output\s+/, '') }
      return rewrite(draft, declared) ?? declared.text
    }
    case 'gate':
      defineGate(calls, statement)
      return undefined
  }
  if (/\bmeasure\b/.test(text)) return rewriteMeasurement(draft, statement)
  if (depth === 0) declare(registers, text, line)
  return rewriteCall(calls, statement)
}

/** `input float theta` becomes a constant with the value that came with the task. */
function bindInput({ inputs }: Draft, { text, line }: Statement): string {
  const [, type = '', name = ''] =
    /^input\s+(float|angle|int|uint)(?:\s*\[[^\]]*\])?\s+([A-Za-z_]\w*)$/.exec(text) ?? []
  if (name === '') throw new ProgramError(line, `"${text}": an input is a float, angle, int or uint here`)
  const value = Object.hasOwn(inputs, name) ? inputs[name] : undefined
  if (value === undefined) throw new ProgramError(line, `there is no value for the input ${name}`)
  if (type === 'int' || type === 'uint') return `const ${type} ${name} = ${Math.trunc(value)}`
  return `const float ${name} = ${Number.isInteger(value) ? value.toFixed(1) : value}`
}

/**
 * Every measured qubit goes into the output register first, and from there to where the program wants it:
 * `b = measure q` becomes `out[0] = measure q[0]; out[1] = measure q[1]; b[0] = out[0]; b[1] = out[1]`.
 */
function rewriteMeasurement(draft: Draft, statement: Statement): string {
  const { registers, measured } = draft
  const { text, line, depth } = statement
  if (depth > 0 || /^(?:if|for|while)\b/.test(text))
    throw new ProgramError(line, 'a measurement inside a block is not possible here')
  const [, target = '', operand = '', arrow = ''] =
    /^(?:(.+?)\s*=\s*)?measure\s+(.+?)(?:\s*->\s*(.+))?$/s.exec(text) ?? []
  const qubits = resolve(registers, 'qubits', operand.trim(), line)
  for (const qubit of qubits) {
    if (measured.some(({ text }) => text === qubit.text))
      throw new ProgramError(line, `${qubit.text} is measured twice`)
  }
  const first = measured.length
  measured.push(...qubits)
  const parts = qubits.map(({ text }, index) => `${outputRegister}[${first + index}] = measure ${text}`)

  const wanted = (target || arrow).trim()
  if (wanted !== '') {
    const declares = /^(?:bit\b|creg\b)/.test(wanted)
    if (declares) {
      declare(registers, wanted, line)
      parts.unshift(wanted)
    }
    const name = declares ? (/([A-Za-z_]\w*)$/.exec(wanted)?.[1] ?? '') : wanted
    const bits = resolve(registers, 'bits', name, line)
    if (bits.length !== qubits.length) {
      throw new ProgramError(line, `${qubits.length} qubits are measured into ${bits.length} bits`)
    }
    parts.push(...bits.map(({ text }, index) => `${text} = ${outputRegister}[${first + index}]`))
  }
  return parts.join('; ')
}

function readPragma({ registers }: Draft, { text, line }: Pragma): readonly ResultRequest[] {
  const [, instruction] = /^braket\s+(.*)$/.exec(text) ?? []
  // Pragmas of others are for others. A verbatim box is a box: nothing is compiled away here.
  if (instruction === undefined || instruction === 'verbatim') return []
  if (instruction.startsWith('result')) return [parseResult(registers, instruction, line)]
  throw new ProgramError(line, `"#pragma ${text}" is not possible on a local device`)
}
