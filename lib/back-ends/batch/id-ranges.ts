/** Writes ids as short as they follow each other: 3, 4, 5, 9 are `3-5,9`. The order is kept. */
export function formatIdRanges(ids: readonly number[]): string {
  const ranges: { first: number; last: number }[] = []
  for (const id of ids) {
    const range = ranges.at(-1)
    if (range && id === range.last + 1) range.last = id
    else ranges.push({ first: id, last: id })
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

/** The ids that `formatIdRanges` wrote, in their order; none where the text is something else. */
export function parseIdRanges(text: string): readonly number[] {
  if (!/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(text)) return []
  return text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => first + offset)
  })
}
