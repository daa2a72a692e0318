import { InvalidInput } from '../../domain/errors.ts'
import { parseJson } from '../../schema/parse-json.ts'

/** The JSON in the text of a file. Errors: InvalidInput with file, line and column. */
export function parseJsonFile(text: string, file: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error
    throw new InvalidInput(`${file} is not JSON: ${error.message}`, { cause: error })
  }
}
