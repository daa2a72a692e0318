import { alwaysHalved, halvedParameter } from './braket-gates.ts'
import { ProgramError, type Statement } from './braket-statements.ts'

/** What is known of a program's gates while it is read. */
export interface GateCalls {
  readonly called: Set<string>
  /** Gates that the program defines itself. */
  readonly defined: Set<string>
  /** Of these, those whose sign may be turned (see braket-gates.ts): not to be controlled. */
  readonly inexact: Set<string>
  /** The definition that the statement stands in. */
  current?: { readonly name: string; readonly parameters: readonly string[]; readonly depth: number }
}

const condition = /^(?:else\b\s*)?(?:if\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*)?/
const modifiers = /^(?:(?:inv|ctrl|negctrl|pow)\s*(?:\([^()]*\))?\s*@\s*)*/
const notGates = /^(?:if|while|for|return|let|const|reset|barrier|def|extern|end|else|box|delay)$/

export function createGateCalls(): GateCalls {
  return { called: new Set(), defined: new Set(), inexact: new Set() }
}

/** Note that a gate is defined here. Its parameters are angles, and angles are kept modulo 2π. */
export function defineGate(calls: GateCalls, { text, depth }: Statement): void {
  const [, name = '', parameters = ''] = /^gate\s+(\w+)\s*(?:\(([^()]*)\))?/.exec(text) ?? []
  calls.defined.add(name)
  calls.current = { name, parameters: parameters.split(',').map((one) => one.trim()), depth }
}

/**
 * A gate's call, as the standard wants it; undefined where it may stay.
 *
 * Whole numbers become floats, since no angle is made of them. Rotations that are or may be controlled are called by
 * half of their angle (see braket-gates.ts).
 * Errors: ProgramError for what would silently give another circuit: a gate's angle divided, or a controlled rotation
 * by a gate's angle.
 */
export function rewriteCall(calls: GateCalls, { text, line, depth }: Statement): string | undefined {
  if (calls.current && depth <= calls.current.depth) delete calls.current
  const { current, called, defined, inexact } = calls
  const modified = condition.exec(text)?.[0].length ?? 0
  const modifier = modifiers.exec(text.slice(modified))?.[0] ?? ''
  const before = modified + modifier.length
  const [head, name = '', next] = /^([A-Za-z_]\w*)\s*(\(|[A-Za-z_$])/.exec(text.slice(before)) ?? []
  if (head === undefined || notGates.test(name)) return undefined

  const isControlled = modifier.includes('ctrl')
  if (isControlled && inexact.has(name)) {
    throw new ProgramError(line, `${name} cannot be controlled on a local device: it rotates by an angle of its own`)
  }
  if (inexact.has(name) && current) inexact.add(current.name)
  called.add(name)
  if (next !== '(') return undefined

  const open = before + head.length - 1
  const close = closingOf(text, open)
  const args = splitOutside(text.slice(open + 1, close), ',').map(withFloats)
  const usesOwn = (arg: string) => current?.parameters.some((one) => one !== '' && new RegExp(`\\b${one}\\b`).test(arg))
  for (const arg of args) {
    if (usesOwn(arg) && arg.includes('/')) {
      throw new ProgramError(line, `"${arg.trim()}": a gate's angle cannot be divided on a local device`)
    }
  }
  const assemble = (gate: string) => `${text.slice(0, before)}${gate}(${args.join(',')}${text.slice(close)}`

  const halved = defined.has(name) ? undefined : halvedParameter.get(name)
  if (halved === undefined) return assemble(name)
  const angle = args[halved] ?? ''
  const mustHalve = isControlled || alwaysHalved.has(name)
  if (usesOwn(angle)) {
    if (mustHalve) throw new ProgramError(line, `${name} by a gate's angle is not possible on a local device`)
    if (current) inexact.add(current.name)
    return assemble(name)
  }
  if (!mustHalve && !current) return assemble(name)
  args[halved] = `(${angle}) / 2.0`
  called.add(`half_${name}`)
  return assemble(`half_${name}`)
}

/** `2` and `1 + 1` become floats; where a float or an angle is about, whole numbers go along with it. */
function withFloats(arg: string): string {
  return /^[\d\s+\-*/().]+$/.test(arg) ? arg.replace(/(?<![\w.])\d+(?![\w.])/g, '$&.0') : arg
}

function closingOf(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  return text.length
}

/** Split at a letter that stands outside of brackets. */
export function splitOutside(text: string, letter: string): string[] {
  const parts = ['']
  let depth = 0
  for (const one of text) {
    if (one === '(' || one === '[') depth += 1
    if (one === ')' || one === ']') depth -= 1
    if (one === letter && depth === 0) parts.push('')
    else parts[parts.length - 1] += one
  }
  return parts
}
