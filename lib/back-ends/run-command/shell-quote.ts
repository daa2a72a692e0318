import { InvalidInput } from '../../domain/errors.ts'

/**
 * Quote any text as one word of a POSIX shell.
 *
 * Guarantees: newlines, quotes, `$()` and leading dashes survive; the result holds no `{{`, which Systems Manager
 * would replace in a command's parameters (`{{ ssm:name }}`), also inside quotes.
 * Errors: InvalidInput for a NUL, which no argument and no environment variable can hold.
 * Source: POSIX Shell Command Language, 2.2.2 Single-Quotes; Systems Manager user guide, "Working with Parameter Store
 * parameters in Run Command".
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new InvalidInput('a NUL character cannot be passed to a shell')
  return `'${text.replaceAll("'", String.raw`'\''`).replaceAll(/\{(?=\{)/g, "{''")}'`
}
