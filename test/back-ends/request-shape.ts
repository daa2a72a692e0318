import models from './fixtures/request-shapes.json' with { type: 'json' }

/**
 * What a service says about a part of a request. Client tokens are not required here: the SDK makes those that are missing.
 * Source: the AWS service models, as in botocore 1.44.8.
 */
interface Shape {
  readonly type: string
  readonly required?: readonly string[]
  readonly members?: Readonly<Record<string, string>>
  readonly member?: string
  readonly key?: string
  readonly value?: string
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
}

export type Service = keyof typeof models

/** What the service would find wrong with a request: types, lengths, ranges, patterns, enums, unknown and missing members. */
export function requestProblems(service: Service, operation: string, input: unknown): readonly string[] {
  const { operations, shapes } = models[service] as unknown as {
    operations: Readonly<Record<string, string>>
    shapes: Readonly<Record<string, Shape>>
  }
  const check = (name: string | undefined, value: unknown, path: string): string[] => {
    const shape = shapes[name ?? '']
    switch (shape?.type) {
      case 'structure':
        return isObject(value) ? checkMembers(shape, value, path) : [`${path}: is no object`]
      case 'list':
        if (!Array.isArray(value)) return [`${path}: is no list`]
        return [
          ...sizeProblems(shape, value.length, path),
          ...value.flatMap((one, index) => check(shape.member, one, `${path}[${index}]`)),
        ]
      case 'map':
        if (!isObject(value)) return [`${path}: is no map`]
        return [
          ...sizeProblems(shape, Object.keys(value).length, path),
          ...Object.keys(value).flatMap((key) => check(shape.key, key, `${path} (key)`)),
          ...Object.entries(value).flatMap(([key, one]) => check(shape.value, one, `${path}.${key}`)),
        ]
      case 'string':
        return typeof value === 'string' ? textProblems(shape, value, path) : [`${path}: is no string`]
      case 'integer':
      case 'long':
        return Number.isInteger(value) ? sizeProblems(shape, value as number, path) : [`${path}: is no whole number`]
      case 'boolean':
        return typeof value === 'boolean' ? [] : [`${path}: is no boolean`]
      default:
        throw new Error(`${path} is a ${shape?.type}: say how that is checked`)
    }
  }
  const checkMembers = ({ members, required = [] }: Shape, value: Readonly<Record<string, unknown>>, path: string) => [
    ...required.filter((key) => value[key] === undefined).map((key) => `${path}: has no ${key}`),
    ...Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .flatMap(([key, part]) =>
        members?.[key] === undefined ? [`${path}: knows no ${key}`] : check(members[key], part, `${path}.${key}`),
      ),
  ]
  return check(operations[operation], input, operation)
}

function textProblems(shape: Shape, value: string, path: string): string[] {
  const isKnown = shape.enum?.includes(value) ?? true
  const isAlike = shape.pattern === undefined || new RegExp(shape.pattern, 'u').test(value)
  return [
    ...sizeProblems(shape, value.length, path),
    ...(isKnown ? [] : [`${path}: must not be ${value}`]),
    ...(isAlike ? [] : [`${path}: is not ${shape.pattern}`]),
  ]
}

function sizeProblems({ min, max }: Shape, size: number, path: string): string[] {
  return [
    ...(min !== undefined && size < min ? [`${path}: ${size} is less than ${min}`] : []),
    ...(max !== undefined && size > max ? [`${path}: ${size} is more than ${max}`] : []),
  ]
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
