/** Why a program cannot be run here, and where: lines count from 1. */
export class ProgramError extends Error {
  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`)
    this.name = 'ProgramError'
  }
}

export interface Statement {
  /** Without comments and without the `;`, `{` or `}` that ends it. */
  readonly text: string
  readonly line: number
  /** How many blocks are open around it. */
  readonly depth: number
  /** Where the text begins in the code, and where what ends it stands. */
  readonly start: number
  readonly stop: number
}

export interface Pragma {
  readonly line: number
  /** What follows `pragma`. */
  readonly text: string
}

export interface Scan {
  /** The source with comments and pragmas turned into spaces: positions and lines are those of the source. */
  readonly code: string
  readonly statements: readonly Statement[]
  readonly pragmas: readonly Pragma[]
}

/** Cut an OpenQASM 3 program into statements. Source: OpenQASM 3 specification, comments, pragmas, blocks. */
export function scanProgram(source: string): Scan {
  const { code, pragmas } = setAside(source)
  const statements: Statement[] = []
  let start = 0
  let line = 1
  let depth = 0
  /** Open brackets, and braces around values: `q[{0, 2}]`, `= {0.1, 0.2}`. */
  let brackets = 0
  const close = (stop: number) => {
    const text = code.slice(start, stop)
    const leading = text.length - text.trimStart().length
    const first = line + countLines(text.slice(0, leading))
    if (text.trim() !== '') statements.push({ text: text.trim(), line: first, depth, start: start + leading, stop })
    line += countLines(code.slice(start, stop + 1))
    start = stop + 1
  }
  for (let at = 0; at < code.length; at += 1) {
    const letter = code[at]
    if (letter === '(' || letter === '[') brackets += 1
    else if (letter === ')' || letter === ']') brackets -= 1
    else if (letter === '{' && (brackets > 0 || !isBlock(code.slice(start, at)))) brackets += 1
    else if (letter === '}' && brackets > 0) brackets -= 1
    else if (brackets > 0) continue
    else if (letter === ';') close(at)
    else if (letter === '{') {
      close(at)
      depth += 1
    } else if (letter === '}') {
      close(at)
      depth -= 1
    }
  }
  if (code.slice(start).trim() !== '') close(code.length)
  return { code, statements, pragmas }
}

/** `array[float, 2] p = {…}` and `in {0, 1}` are values as well. */
const isBlock = (before: string): boolean => !/(=|\bin)\s*$/.test(before)

const countLines = (text: string): number => text.split('\n').length - 1

/** Turn comments and pragmas into spaces. */
function setAside(source: string): { code: string; pragmas: readonly Pragma[] } {
  const pragmas: Pragma[] = []
  const blank = (text: string) => text.replace(/[^\n]/g, ' ')
  const pattern = /"[^"\n]*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|^[ \t]*(?:#[ \t]*)?pragma\b([^\n]*)/gm
  const code = source.replace(pattern, (text: string, pragma: string | undefined, at: number) => {
    if (text.startsWith('"')) return text
    if (pragma !== undefined) {
      pragmas.push({ line: countLines(source.slice(0, at)) + 1, text: pragma.replace(/\/\/.*$/, '').trim() })
    }
    return blank(text)
  })
  return { code, pragmas }
}
