import { createInterface } from 'node:readline/promises'
import { createPaint, type Paint } from './render/paint.ts'

/** Where commands write, and whom they ask. */
export interface Terminal {
  /** To stdout, with a line end. */
  print(text: string): void
  /** To stderr, with a line end. */
  printError(text: string): void
  /** To stdout, as it is. */
  write(data: Uint8Array | string): void
  /** To stderr, as it is. */
  writeError(text: string): void
  readonly paint: Paint
  /** Absent where stdout is a pipe or a file. */
  readonly screen?: Screen
  /** A yes-or-no question; absent where nobody is there to answer. */
  readonly ask?: (question: string) => Promise<boolean>
}

export interface Screen {
  readonly columns: number
  readonly rows: number
  /** Draw over what was drawn last. */
  draw(lines: readonly string[]): void
}

/** The terminal, or the pipes, that this process was started on. */
export function createTerminal({ stdin, stdout, stderr }: typeof process): Terminal {
  return {
    print: (text) => stdout.write(`${text}\n`),
    printError: (text) => stderr.write(`${text}\n`),
    write: (data) => stdout.write(data),
    writeError: (text) => stderr.write(text),
    paint: createPaint(stdout),
    ...(stdout.isTTY && { screen: createScreen(stdout) }),
    ...(stdin.isTTY && stdout.isTTY && { ask: (question: string) => ask(stdin, stderr, question) }),
  }
}

function createScreen(stdout: NodeJS.WriteStream): Screen {
  let drawn = 0
  return {
    get columns() {
      return stdout.columns || 80
    },
    get rows() {
      return stdout.rows || 24
    },
    draw: (lines) => {
      const back = drawn > 0 ? `\x1b[${drawn}A` : ''
      drawn = lines.length
      // Without automatic wrapping a line is a line, so that the next frame finds its way back.
      stdout.write(`${back}\x1b[0J\x1b[?7l${lines.join('\n')}\n\x1b[?7h`)
    },
  }
}

async function ask(stdin: NodeJS.ReadStream, stderr: NodeJS.WriteStream, question: string): Promise<boolean> {
  const prompt = createInterface({ input: stdin, output: stderr })
  // End of input and ctrl-C close the prompt without an answer.
  const closed = new Promise<undefined>((resolve) => prompt.once('close', () => resolve(undefined)))
  try {
    const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed])
    if (answer === undefined) stderr.write('\n')
    return /^y(es)?$/i.test(answer?.trim() ?? '')
  } finally {
    prompt.close()
  }
}
