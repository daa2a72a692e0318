type Json = Readonly<Record<string, unknown>>

/**
 * Whether an event matches a rule's pattern: lists of values, and of `prefix` matchers; a pattern with any other is an
 * error. Source: EventBridge user guide, "Creating Amazon EventBridge event patterns".
 */
export function matchesRule(pattern: Json, event: Json): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    const value = event[key]
    if (!Array.isArray(wanted)) return isObject(value) && matchesRule(wanted as Json, value)
    return wanted.some((one) => (isObject(one) ? hasPrefix(one, value) : one === value))
  })
}

function hasPrefix(matcher: Json, value: unknown): boolean {
  const { prefix, ...others } = matcher
  if (typeof prefix !== 'string' || Object.keys(others).length > 0)
    throw new Error(`unknown: ${JSON.stringify(matcher)}`)
  return typeof value === 'string' && value.startsWith(prefix)
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
