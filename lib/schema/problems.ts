import type { z } from 'zod'
import type { Problem } from '../domain/errors.ts'

/** Every problem that zod found, with paths as people write them: `tasks[3].needs[0]`. */
export function problemsOf(error: z.ZodError, root = ''): readonly Problem[] {
  return error.issues.map(({ path, message }) => ({ path: spell(path, root), message }))
}

function spell(path: readonly PropertyKey[], root: string): string {
  const spelt = path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    return text === '' ? String(step) : `${text}.${String(step)}`
  }, root)
  return spelt === '' ? '(the whole input)' : spelt
}
