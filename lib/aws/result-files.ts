import type { S3Client } from '@aws-sdk/client-s3'
import { type ResultFiles, tooLarge } from '../app/result-files.ts'
import { backendError } from '../back-ends/aws-errors.ts'
import { BackendRejected } from '../domain/errors.ts'

/**
 * Results as the objects that `s3://bucket/key` names.
 *
 * `loadClient` is called with the first use, so that functions which read and write none start without S3.
 * Source: API reference, GetObject (NoSuchKey where the caller may list the bucket, else AccessDenied), PutObject.
 */
export function createS3ResultFiles(loadClient: () => Promise<Pick<S3Client, 'send'>>): ResultFiles {
  let client: ReturnType<typeof loadClient> | undefined
  const load = async () => {
    client ??= loadClient()
    return { s3: await client, ...(await import('@aws-sdk/client-s3')) }
  }

  return {
    readResult: async (uri, limitBytes) => {
      const { s3, GetObjectCommand } = await load()
      const object = await s3.send(new GetObjectCommand(placeOf(uri))).catch((error: Error) => {
        if (error.name === 'NoSuchKey') return undefined
        throw backendError(`GetObject ${uri}`, error)
      })
      if (!object) return undefined
      const { Body, ContentLength = 0 } = object
      if (ContentLength > limitBytes) {
        // Read no further, or the connection would stay taken.
        if (Body && 'destroy' in Body) Body.destroy()
        throw tooLarge(uri, ContentLength, limitBytes)
      }
      return (await Body?.transformToByteArray()) ?? new Uint8Array()
    },

    writeText: async (uri, text) => {
      const { s3, PutObjectCommand } = await load()
      await s3.send(new PutObjectCommand({ ...placeOf(uri), Body: text })).catch((error: unknown) => {
        throw backendError(`PutObject ${uri}`, error)
      })
    },
  }
}

function placeOf(uri: string): { readonly Bucket: string; readonly Key: string } {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? []
  if (Bucket === undefined || Key === undefined) throw new BackendRejected(`${uri} is not an s3://bucket/key`)
  return { Bucket, Key }
}
