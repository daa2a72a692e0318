import type { AwsParts } from '../back-end.ts'
import type { Executor } from '../executor.ts'
import { braketIn, outputIn } from './braket-in.ts'
import type { BraketConfig } from './config.ts'
import { createBraketTaskExecutor } from './executor.ts'

/** Quantum tasks on Amazon Braket, with the clients that they take. */
export function braketOnAws(
  { devices }: NonNullable<BraketConfig['braket']>,
  { bucket, readText }: Pick<AwsParts, 'bucket' | 'readText'>,
): Executor {
  return createBraketTaskExecutor({ braketIn, output: outputIn(bucket), devices, readText })
}
