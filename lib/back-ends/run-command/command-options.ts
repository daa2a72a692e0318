import { z } from 'zod'
import { environmentName } from './host-script.ts'

const text = z.string().regex(/^[^\0]*$/, 'must not hold a NUL character')

/** The options of a task that is a command of a shell, on a host or on a cluster. */
export const commandOptions = {
  command: text.min(1, 'must not be empty'),
  cwd: text.min(1, 'must not be empty').exactOptional(),
  environment: z
    .record(
      z
        .string()
        .regex(environmentName)
        .regex(/^(?!QUENCH_)/, 'must not start with QUENCH_'),
      text,
    )
    .exactOptional(),
}
