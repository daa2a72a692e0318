import type { Resource, Synthesised } from './template.ts'

export interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: readonly string[]
  readonly Resource: readonly string[]
  readonly Condition?: unknown
}

/** A call as IAM sees it: `dynamodb:GetItem`, and the ARN that it is about (`*` where the action has no resource type). */
export interface RecordedCall {
  readonly action: string
  readonly resource: string
}

export interface Closure {
  /** Recorded, and not allowed. */
  readonly denied: readonly RecordedCall[]
  /** Allowed, and never called. */
  readonly unused: readonly string[]
}

/** What a role may do: its own and its attached inline policies, resolved. */
export function statementsOf({ ofType, resources, resolve }: Synthesised, roleId: string): readonly Statement[] {
  const attached = Object.values(ofType('AWS::IAM::Policy')).filter(({ Properties }) =>
    (Properties.Roles as { Ref: string }[]).some(({ Ref }) => Ref === roleId),
  )
  const inline = (resources[roleId]?.Properties.Policies ?? []) as { PolicyDocument: unknown }[]
  const documents = [...attached.map(({ Properties }) => Properties), ...inline].map(
    ({ PolicyDocument }) => resolve(PolicyDocument) as { Statement: readonly Record<string, unknown>[] },
  )
  return documents.flatMap(({ Statement }) =>
    Statement.map(({ Effect, Action, Resource, Condition }) => ({
      Effect: Effect as Statement['Effect'],
      Action: [Action].flat() as string[],
      Resource: [Resource].flat() as string[],
      ...(Condition !== undefined && { Condition }),
    })),
  )
}

/** The function with this file in `functions/`. */
export function functionOf({ ofType }: Synthesised, name: string): Resource {
  const found = Object.values(ofType('AWS::Lambda::Function')).find(({ Properties }) =>
    String(Properties.Description).startsWith(`${name}: `),
  )
  if (!found) throw new Error(`there is no function ${name}`)
  return found
}

/** The logical id of its role. */
export function roleOf(template: Synthesised, functionName: string): string {
  const { Role } = functionOf(template, functionName).Properties as { Role: { 'Fn::GetAtt': [string, string] } }
  return Role['Fn::GetAtt'][0]
}

/**
 * Hold the calls that a function made in its scenarios against what its role may do.
 *
 * Conditions are not evaluated: a statement with one counts as allowing.
 */
export function closureOf(statements: readonly Statement[], calls: readonly RecordedCall[]): Closure {
  const allows = ({ action, resource }: RecordedCall) =>
    statements.some(
      (statement) =>
        statement.Effect === 'Allow' &&
        statement.Action.some((pattern) => matches(pattern, action)) &&
        statement.Resource.some((pattern) => matches(pattern, resource)),
    )
  const used = new Set(calls.map(({ action }) => action))
  const allowed = new Set(statements.flatMap(({ Action }) => Action))
  return {
    denied: calls.filter((call) => !allows(call)),
    unused: [...allowed].filter((action) => !used.has(action)).sort(),
  }
}

/** Source: IAM user guide, "Wildcards": `*` stands for any characters, `?` for one. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split(/([*?])/).map((part) => {
    if (part === '*') return '.*'
    return part === '?' ? '.' : part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`).test(text)
}
