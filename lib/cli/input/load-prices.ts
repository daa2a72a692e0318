import type { Prices } from '../../back-ends/prices.ts'
import { InvalidInput } from '../../domain/errors.ts'
import { pricesSchema } from '../../schema/prices.ts'
import { problemsOf } from '../../schema/problems.ts'
import { parseJsonFile } from './parse-json-file.ts'

/** The prices in the text of a file. Errors: InvalidInput with the file and every problem. */
export function loadPrices(text: string, file: string): Prices {
  const parsed = pricesSchema.safeParse(parseJsonFile(text, file))
  if (parsed.success) return parsed.data
  throw new InvalidInput(`${file} does not hold valid prices:`, { details: problemsOf(parsed.error) })
}
