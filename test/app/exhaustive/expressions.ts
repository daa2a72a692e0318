import { isDeepStrictEqual } from 'node:util'

export type Item = Readonly<Record<string, unknown>>

export interface Placeholders {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>
}

/** Whether a condition, of parts joined by AND and OR without brackets, holds for an item. */
export function holdsFor(item: Item, condition: string, placeholders: Placeholders): boolean {
  const part = (text: string) => partHolds(item, text, placeholders)
  return condition.split(' OR ').some((either) => either.split(' AND ').every(part))
}

function partHolds(item: Item, text: string, placeholders: Placeholders): boolean {
  const at = (path: string) => valueAt(item, pathOf(path, placeholders))
  const given = (name: string) => placeholders.ExpressionAttributeValues?.[name.trim()]
  const call = /^(attribute_not_exists|attribute_exists|begins_with)\(([^,)]+)(?:, *([^)]+))?\)$/.exec(text)
  if (call) {
    const [, name, path = '', value = ''] = call
    if (name === 'begins_with') return String(at(path)).startsWith(String(given(value)))
    return (at(path) !== undefined) === (name === 'attribute_exists')
  }
  const list = /^(\S+) IN \(([^)]+)\)$/.exec(text)
  if (list) return (list[2] ?? '').split(',').some((name) => isDeepStrictEqual(at(list[1] ?? ''), given(name)))
  const equal = /^(\S+) = (:\S+)$/.exec(text)
  if (!equal) throw new Error(`the table does not understand ${text}`)
  return at(equal[1] ?? '') !== undefined && isDeepStrictEqual(at(equal[1] ?? ''), given(equal[2] ?? ''))
}

/** An item after `SET a = :x, b = b + :y REMOVE c, d`; every value is taken from the item as it was. */
export function assigned(before: Item, expression: string, placeholders: Placeholders): Item {
  const [, sets = '', removes = ''] = /^(?:SET (.*?))?(?:(?:^| )REMOVE (.*))?$/.exec(expression) ?? []
  let after = before
  for (const text of sets === '' ? [] : sets.split(', ')) {
    const [target = '', value = ''] = text.split(' = ')
    after = withValue(after, pathOf(target, placeholders), newValue(before, value, placeholders))
  }
  for (const target of removes === '' ? [] : removes.split(', '))
    after = withValue(after, pathOf(target, placeholders), undefined)
  return after
}

function newValue(before: Item, text: string, placeholders: Placeholders): unknown {
  const given = (name: string) => placeholders.ExpressionAttributeValues?.[name]
  const sum = /^(\S+) \+ (:\S+)$/.exec(text)
  if (!sum) return given(text)
  return Number(valueAt(before, pathOf(sum[1] ?? '', placeholders))) + Number(given(sum[2] ?? ''))
}

function pathOf(text: string, { ExpressionAttributeNames: names = {} }: Placeholders): readonly string[] {
  return text
    .trim()
    .split('.')
    .map((part) => names[part] ?? part)
}

function valueAt(item: Item, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Item | undefined)?.[name], item)
}

function withValue(item: Item, [name = '', ...inner]: readonly string[], value: unknown): Item {
  if (inner.length > 0) return { ...item, [name]: withValue((item[name] ?? {}) as Item, inner, value) }
  if (value !== undefined) return { ...item, [name]: value }
  const { [name]: _, ...rest } = item
  return rest
}
