/** What a value holds, as a text: equal contents, equal texts. */
export function canonical(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${value.join()}`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined'
  const entries = Object.entries(value)
    // When an item expires decides nothing here, and some of it is by the clock of the machine.
    .filter(([name, inner]) => inner !== undefined && name !== 'ttl')
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, inner]) => `${name}:${canonical(inner)}`).join()}}`
}
