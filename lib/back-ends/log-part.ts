import type { LogPart } from './executor.ts'

/** What one answer carries at most: as base64 it is 22,668 characters, and Run Command's output has room for 24,000. */
export const logPartBytes = 17_000

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The beginning of `bytes`, which stand at `offset` of a log, in whole characters: one that is cut waits for its rest. */
export function logPart(bytes: Uint8Array, offset: number): LogPart {
  const cut = bytes.subarray(0, logPartBytes)
  const whole = cut.subarray(0, cut.length - begunBytes(cut))
  return { text: decoder.decode(whole), nextOffset: offset + whole.length }
}

/** How many bytes at the end are a character that has begun and is not complete. Source: RFC 3629, section 3. */
function begunBytes(bytes: Uint8Array): number {
  for (let count = 1; count <= Math.min(3, bytes.length); count++) {
    const byte = bytes[bytes.length - count] ?? 0
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return count < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? count : 0
  }
  return 0
}
