import { BackendRejected } from '../domain/errors.ts'

/**
 * The port to what jobs leave and read by URI: files on one machine, objects in S3.
 *
 * Errors: BackendRejected for a URI that cannot be one of ours, BackendUnavailable to try again.
 */
export interface ResultFiles {
  /** All bytes of a result; undefined where there is none. Errors: BackendRejected (`tooLarge`) for one above the limit. */
  readonly readResult: (uri: string, limitBytes: number) => Promise<Uint8Array | undefined>
  /** Put a text where jobs can read it. Whoever reads sees all of it or nothing; the same text may be put twice. */
  readonly writeText: (uri: string, text: string) => Promise<void>
}

/** What is said of a result that is too large to be passed on; it says where it is. */
export function tooLarge(uri: string, sizeBytes: number, limitBytes: number): BackendRejected {
  return new BackendRejected(
    `${uri} has ${sizeBytes} bytes, more than the ${limitBytes} that are passed on: read it there`,
  )
}
