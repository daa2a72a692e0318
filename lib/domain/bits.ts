/** A set of task ids, one bit a task: bit `id % 8` of byte `id >> 3`. Functions never change their arguments. */
export type Bits = Uint8Array

export function emptyBits(count: number): Bits {
  return new Uint8Array(Math.ceil(count / 8))
}

export function hasBit(bits: Bits, id: number): boolean {
  return ((bits[id >> 3] ?? 0) & (1 << (id & 7))) !== 0
}

/** For the code that has just made `bits`: the one function here that writes. */
export function setBit(bits: Bits, id: number): void {
  bits[id >> 3] = (bits[id >> 3] ?? 0) | (1 << (id & 7))
}
