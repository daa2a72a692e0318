type Item = Record<string, unknown>

interface Page {
  readonly Items?: Item[] | undefined
  readonly LastEvaluatedKey?: Item | undefined
}

/** The items of every page of a query; `read` reads the page that begins after a key. */
export async function allPages(read: (start: Item | undefined) => Promise<Page>): Promise<Item[]> {
  const items: Item[] = []
  let start: Item | undefined
  do {
    const page = await read(start)
    items.push(...(page.Items ?? []))
    start = page.LastEvaluatedKey
  } while (start)
  return items
}
