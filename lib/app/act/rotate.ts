/**
 * The same items, beginning with another one as time goes on. Work that a deadline cuts short does not begin with the same
 * ones again and again, so each has its turn.
 */
export function rotate<Item>(items: readonly Item[], now: number): readonly Item[] {
  if (items.length < 2) return items
  const start = Math.floor(now / 1000) % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}
