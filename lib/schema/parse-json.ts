import { InvalidInput } from '../domain/errors.ts'

/**
 * Parse JSON that a person may have written.
 *
 * Errors: InvalidInput whose message says where and why: `line 4, column 19: Expected ',' or '}' after property value`.
 */
export function parseJson(text: string): unknown {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text
  if (json.trim() === '') throw new InvalidInput('it is empty')
  try {
    return JSON.parse(json)
  } catch (error) {
    const message = messageOf(error)
    const { line, column } = lineAndColumn(json, findPosition(json, message))
    throw new InvalidInput(`line ${line}, column ${column}: ${reasonOf(message)}`, { cause: error })
  }
}

/** The same; undefined for what is no JSON. */
export function tryJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof InvalidInput) return undefined
    throw error
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Without the place and the excerpt that V8 adds. */
function reasonOf(message: string): string {
  return message.replace(/ (?:in|after|of) JSON.*$|, (?:\.\.\.)?".*$/s, '')
}

function findPosition(json: string, message: string): number {
  const stated = / at position (\d+)/.exec(message)
  if (stated) return Number(stated[1])
  return isUnexpectedToken(message) ? findUnexpectedToken(json) : json.length
}

const isUnexpectedToken = (message: string) => message.startsWith('Unexpected token')

/** V8 does not say where it is: at the end of the shortest beginning of `json` that has it. */
function findUnexpectedToken(json: string): number {
  let before = 0
  let behind = json.length
  while (behind - before > 1) {
    const middle = (before + behind) >> 1
    if (hasUnexpectedToken(json.slice(0, middle))) behind = middle
    else before = middle
  }
  return before
}

function hasUnexpectedToken(json: string): boolean {
  try {
    JSON.parse(json)
    return false
  } catch (error) {
    return isUnexpectedToken(messageOf(error))
  }
}

function lineAndColumn(text: string, position: number): { line: number; column: number } {
  const before = text.slice(0, position)
  return { line: before.split('\n').length, column: position - before.lastIndexOf('\n') }
}
