import { runCli } from '../../lib/cli/run-cli.ts'
import type { Terminal } from '../../lib/cli/terminal.ts'

interface Captured {
  readonly exitCode: number
  readonly out: string
  readonly error: string
  /** What was written as it is, a character a byte. */
  readonly written: string
  readonly writtenError: string
  readonly questions: readonly string[]
  /** What was drawn, where there is a screen. */
  readonly frames: readonly string[]
}

interface CaptureOptions {
  readonly url?: string
  /** What the person at the terminal says; without it, nobody is there. */
  readonly answer?: boolean
  readonly hasScreen?: boolean
}

/** Run `quench` in this process and keep what it writes. */
export async function runCaptured(
  args: readonly string[],
  { url, answer, hasScreen = false }: CaptureOptions = {},
): Promise<Captured> {
  const out: string[] = []
  const error: string[] = []
  const written: (Uint8Array | string)[] = []
  const writtenError: string[] = []
  const questions: string[] = []
  const frames: string[] = []
  const terminal: Terminal = {
    print: (text) => out.push(text),
    printError: (text) => error.push(text),
    write: (data) => written.push(data),
    writeError: (text) => writtenError.push(text),
    paint: (_style, text) => text,
    ...(hasScreen && { screen: { columns: 100, rows: 24, draw: (lines) => frames.push(lines.join('\n')) } }),
    ...(answer !== undefined && {
      ask: async (question: string) => {
        questions.push(question)
        return answer
      },
    }),
  }
  const exitCode = await runCli([...args, ...(url === undefined ? [] : ['--url', url])], terminal)
  return {
    exitCode,
    out: out.join('\n'),
    error: error.join('\n'),
    written: Buffer.concat(written.map((data) => Buffer.from(data))).toString('latin1'),
    writtenError: writtenError.join(''),
    questions,
    frames,
  }
}
