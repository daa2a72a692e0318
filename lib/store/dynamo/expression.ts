import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb'

/** Gives placeholders for the names and values of one expression. */
interface Bindings {
  name(path: Path): string
  value(value: unknown): string
}

/** An attribute, or a place inside a map: `['fences', id]`. */
type Path = string | readonly string[]

/** One named part of a condition. */
export type Condition = (bind: Bindings) => string

export const equals =
  (path: Path, value: unknown): Condition =>
  (bind) =>
    `${bind.name(path)} = ${bind.value(value)}`

export const isOneOf =
  (path: Path, values: readonly unknown[]): Condition =>
  (bind) =>
    `${bind.name(path)} IN (${values.map((value) => bind.value(value)).join(', ')})`

export const isAbsent =
  (path: Path): Condition =>
  (bind) =>
    `attribute_not_exists(${bind.name(path)})`

export const isPresent =
  (path: Path): Condition =>
  (bind) =>
    `attribute_exists(${bind.name(path)})`

/** Takes plain parts, no `any`: AND binds closer than OR, so neither needs brackets. */
export const all =
  (...parts: readonly Condition[]): Condition =>
  (bind) =>
    parts.map((part) => part(bind)).join(' AND ')

export const any =
  (...parts: readonly Condition[]): Condition =>
  (bind) =>
    parts.map((part) => part(bind)).join(' OR ')

export interface Change {
  /** An `undefined` value leaves the attribute as it is, `null` takes it away. */
  readonly set: Readonly<Record<string, unknown>>
  readonly setAt?: readonly { readonly path: Path; readonly value: unknown }[]
  readonly increment?: readonly string[]
  readonly remove?: readonly string[]
  readonly when: Condition
}

/** The expressions of one conditional update. */
export function updateExpressions(
  change: Change,
): Pick<
  UpdateCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
> {
  const names = new Map<string, string>()
  const values: Record<string, unknown> = {}
  const bind: Bindings = {
    name: (path) =>
      [path]
        .flat()
        .map((part) => {
          if (!names.has(part)) names.set(part, `#n${names.size}`)
          return names.get(part)
        })
        .join('.'),
    value: (value) => {
      const key = `:v${Object.keys(values).length}`
      values[key] = value
      return key
    },
  }
  const given = Object.entries(change.set).filter(([, value]) => value !== undefined)
  const sets = [
    ...given.filter(([, value]) => value !== null).map(([path, value]) => ({ path: path as Path, value })),
    ...(change.setAt ?? []),
  ].map(({ path, value }) => `${bind.name(path)} = ${bind.value(value)}`)
  sets.push(...(change.increment ?? []).map((path) => `${bind.name(path)} = ${bind.name(path)} + ${bind.value(1)}`))
  const removes = [...given.filter(([, value]) => value === null).map(([path]) => path), ...(change.remove ?? [])]
  return {
    UpdateExpression: [
      sets.length > 0 && `SET ${sets.join(', ')}`,
      removes.length > 0 && `REMOVE ${removes.map((path) => bind.name(path)).join(', ')}`,
    ]
      .filter(Boolean)
      .join(' '),
    ConditionExpression: change.when(bind),
    ExpressionAttributeNames: Object.fromEntries([...names].map(([name, placeholder]) => [placeholder, name])),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  }
}
