import { type GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { createS3ResultFiles } from '../../lib/aws/result-files.ts'

/** A bucket with objects by key. */
function aBucket(objects: Record<string, string>) {
  let loads = 0
  const send = async (command: unknown) => {
    if (command instanceof PutObjectCommand) {
      objects[command.input.Key ?? ''] = String(command.input.Body)
      return {}
    }
    const { Bucket, Key = '' } = (command as GetObjectCommand).input
    const text = objects[Key]
    if (Bucket !== 'b' || text === undefined) throw Object.assign(new Error('none'), { name: 'NoSuchKey' })
    const Body = { transformToByteArray: async () => Buffer.from(text), destroy: () => {} }
    return { Body, ContentLength: Buffer.byteLength(text) }
  }
  const files = createS3ResultFiles(async () => {
    loads += 1
    return { send: send as never }
  })
  return { files, objects, loads: () => loads }
}

test('a text that is written can be read, by one client that is made with its first use', async () => {
  const { files, objects, loads } = aBucket({})
  expect(loads()).toBe(0)
  await files.writeText('s3://b/results/x/1/1-inputs.json', '{}')
  expect(Object.keys(objects)).toEqual(['results/x/1/1-inputs.json'])
  expect(await files.readResult('s3://b/results/x/1/1-inputs.json', 10)).toEqual(Buffer.from('{}'))
  expect(loads()).toBe(1)
})

test('what is not there is none, what is too large is refused, and other URIs are no objects', async () => {
  const { files } = aBucket({ k: '12345' })
  expect(await files.readResult('s3://b/other', 10)).toBeUndefined()
  await expect(files.readResult('s3://b/k', 4)).rejects.toThrow('s3://b/k has 5 bytes, more than the 4')
  await expect(files.readResult('file:///etc/passwd', 4)).rejects.toThrow('is not an s3://bucket/key')
})
