import type { FunctionName } from './bundle.ts'

/** Memory of the functions, in MiB; by it Lambda gives CPU and charges. People wait for those with more. */
export const functionMemoryMiB = {
  api: 1024,
  cancel: 1024,
  turn: 1024,
  act: 512,
  'job-events': 512,
  reap: 512,
  sweep: 512,
  announce: 512,
} as const satisfies Record<FunctionName, number>
