import type { Context } from 'hono'
import { z } from 'zod'
import { InvalidInput, type Problem } from '../domain/errors.ts'
import { parseJson } from '../schema/parse-json.ts'
import { problemsOf } from '../schema/problems.ts'

/**
 * The body as JSON, whatever its content type says; nothing at all is `{}` where `emptyIsObject`.
 *
 * Errors: InvalidInput with line and column.
 */
export async function readJson(c: Context, options: { emptyIsObject?: boolean } = {}): Promise<unknown> {
  const text = await c.req.text()
  if (options.emptyIsObject && text === '') return {}
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error
    throw new InvalidInput(`The body is not JSON: ${error.message}`, { cause: error })
  }
}

/** What `schema` makes of `input`. Errors: InvalidInput with every problem. */
export function checked<Schema extends z.ZodType>(schema: Schema, input: unknown, what: string): z.output<Schema> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const problems = problemsOf(result.error)
  throw new InvalidInput(`The ${what} has ${countOf(problems)}.`, { details: problems })
}

function countOf(problems: readonly Problem[]): string {
  return problems.length === 1 ? 'a problem' : `${problems.length} problems`
}

const idempotencyKeyHeader = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional(),
})

/** Of the `Idempotency-Key` header, if there is one. */
export function idempotencyKey(c: Context): string | undefined {
  const header = { 'idempotency-key': c.req.header('idempotency-key') }
  return checked(idempotencyKeyHeader, header, 'Idempotency-Key header')['idempotency-key']
}
