import { BackendRejected } from '../../domain/errors.ts'
import type { JsonValue } from '../../domain/json.ts'

/** Where a quantum task's OpenQASM comes from: its options, or a result of another task. */
export interface ProgramSource {
  readonly program?: string
  /** May end in a JSON pointer, where the text is JSON with several programs: `…/circuits.json#/3`. */
  readonly programUri?: string
}

/** The OpenQASM text that a task is to run. */
export async function readProgram(
  { program, programUri = '' }: ProgramSource,
  readText: (uri: string) => Promise<string>,
): Promise<string> {
  if (program !== undefined) return program
  const [uri = '', pointer] = programUri.split('#')
  const text = await readText(uri)
  if (pointer === undefined) return text
  const found = pointTo(parse(text, uri), decodeURIComponent(pointer))
  if (typeof found === 'string') return found
  throw new BackendRejected(`there is no OpenQASM text at ${programUri}`)
}

/**
 * The `action` of CreateQuantumTask.
 *
 * Source: amazon-braket-schemas, braket.ir.openqasm.program version 1.
 */
export function openQasmAction(source: string, inputs: Readonly<Record<string, number>> = {}): string {
  return JSON.stringify({
    braketSchemaHeader: { name: 'braket.ir.openqasm.program', version: '1' },
    source,
    inputs,
  })
}

function parse(text: string, uri: string): JsonValue {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BackendRejected(`${uri} is not JSON`, { cause })
  }
}

/** Source: RFC 6901, JSON Pointer. */
function pointTo(value: JsonValue, pointer: string): JsonValue | undefined {
  const steps = pointer.split('/').slice(1)
  return steps.reduce<JsonValue | undefined>((at, step) => {
    if (at === null || typeof at !== 'object') return undefined
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    return Object.hasOwn(at, key) ? (at as Record<string, JsonValue>)[key] : undefined
  }, value)
}
