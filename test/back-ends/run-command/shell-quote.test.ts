import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shellQuote } from '../../../lib/back-ends/run-command/shell-quote.ts'
import { InvalidInput } from '../../../lib/domain/errors.ts'

/** What a shell makes of the words. The script goes by stdin: one argument has room for 128 KB only. */
function throughShell(words: readonly string[]): readonly string[] {
  const script = `printf '%s\\000' ${words.map(shellQuote).join(' ')}\n`
  const { stdout } = spawnSync('sh', ['-s'], { input: script, maxBuffer: 1 << 24 })
  return stdout.toString('utf8').split('\0').slice(0, -1)
}

const nasty = fc.constantFrom(
  "'",
  '"',
  "'\\''",
  '\n',
  '\r\n',
  '$(id)',
  '`id`',
  '${HOME}',
  '{{',
  '{',
  '}}',
  '\\',
  '-n',
  '--',
  '*',
  '~',
  '!',
  ';',
)
const text = fc
  .array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { maxLength: 20 })
  .map((parts) => parts.join('').replaceAll('\0', ''))

describe('a quoted word', () => {
  test('comes out of a shell as it went in', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 50 }), (words) => {
        expect(throughShell(words)).toEqual(words)
      }),
      { numRuns: 40 },
    )
  })

  test('comes out of a shell in a shell as it went in', () => {
    fc.assert(
      fc.property(text, (word) => {
        expect(throughShell([`printf %s ${shellQuote(word)}`])).toEqual([`printf %s ${shellQuote(word)}`])
        const { stdout } = spawnSync('sh', ['-s'], { input: `sh -c ${shellQuote(`printf %s ${shellQuote(word)}`)}` })
        expect(stdout.toString('utf8')).toBe(word)
      }),
      { numRuns: 40 },
    )
  })

  test('may be 64 KB long', () => {
    const words = ["'".repeat(65_536), '{'.repeat(65_536), 'ä\n'.repeat(32_768)]
    expect(throughShell(words)).toEqual(words)
  })

  test('holds nothing that Systems Manager would replace', () => {
    expect(shellQuote('{{ ssm:password }}')).not.toContain('{{')
    fc.assert(fc.property(text, (word) => !shellQuote(shellQuote(word)).includes('{{')))
  })

  test('cannot hold a NUL', () => {
    expect(() => shellQuote('a\0b')).toThrow(InvalidInput)
  })
})
