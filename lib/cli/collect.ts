/** The items of `source`, `limit` at most, in an array. */
export async function collect<Item>(source: AsyncIterable<Item>, limit = Number.POSITIVE_INFINITY): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of source) {
    items.push(item)
    if (items.length >= limit) break
  }
  return items
}
