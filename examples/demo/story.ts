import { createPaint } from '../../lib/cli/render/paint.ts'

/** What the reader sees: headings, prose, commands with their output, and checks, each a paragraph of its own. */
export interface Story {
  heading(text: string): void
  say(text: string): void
  command(line: string): void
  output(line: string): void
  /** Prints PASS or FAIL with what was checked. */
  check(claim: string, holds: boolean, found?: string): void
  /** Checks made, and those that did not hold. */
  score(): { readonly passed: number; readonly failed: readonly string[] }
}

type Kind = 'heading' | 'prose' | 'output' | 'check'

export function createStory(stdout: NodeJS.WriteStream): Story {
  const paint = createPaint(stdout)
  const failed: string[] = []
  let passed = 0
  let last: Kind | undefined
  const print = (kind: Kind, line: string) => {
    stdout.write(`${last === kind ? '' : '\n'}${line}\n`)
    last = kind
  }
  return {
    heading: (text) => print('heading', paint('bold', text)),
    say: (text) => print('prose', text),
    command: (line) => {
      last = undefined
      print('output', `  ${paint('cyan', `$ ${line}`)}`)
    },
    output: (line) => print('output', line === '' ? '' : `  ${line}`),
    check: (claim, holds, found) => {
      if (holds) passed += 1
      else failed.push(claim)
      const verdict = holds ? paint('green', 'PASS') : paint('red', 'FAIL')
      print('check', `${verdict}  ${claim}${holds || found === undefined ? '' : `; found: ${found}`}`)
    },
    score: () => ({ passed, failed }),
  }
}
