import { expect, test } from 'vitest'
import { logPart, logPartBytes } from '../../lib/back-ends/log-part.ts'

test('a log comes in whole characters, wherever a read ends, and nothing is left out', () => {
  const text = 'aé€𝄞\ufeff'.repeat(3)
  const log = Buffer.from(text)
  for (let end = 0; end <= log.length; end++) {
    const { text: begun, nextOffset } = logPart(log.subarray(0, end), 0)
    expect(begun).not.toContain('\ufffd')
    expect(begun + logPart(log.subarray(nextOffset), nextOffset).text).toBe(text)
  }
})

test('bytes that are no UTF-8 are replaced, and reading goes on behind them', () => {
  expect(logPart(Buffer.from([0xff, 0x61, 0x80, 0x80, 0x80, 0x80]), 10)).toEqual({
    text: '\ufffda\ufffd\ufffd\ufffd\ufffd',
    nextOffset: 16,
  })
})

test('a piece has a limit', () => {
  const { text, nextOffset } = logPart(Buffer.from('€'.repeat(10_000)), 5)
  expect(Buffer.byteLength(text)).toBe(nextOffset - 5)
  expect(logPartBytes - Buffer.byteLength(text)).toBeLessThan(3)
})
