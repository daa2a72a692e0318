import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { BackendRejected } from '../../lib/domain/errors.ts'
import { localResultFiles, readText } from '../../lib/local/result-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'quench-results-'))
afterAll(() => rmSync(directory, { recursive: true }))

const uriOf = (name: string) => pathToFileURL(join(directory, name)).href
const { readResult, writeText } = localResultFiles

test('a text that is written can be read, also when it was written twice, and leaves nothing else', async () => {
  await Promise.all([writeText(uriOf('a b'), 'π'), writeText(uriOf('a b'), 'π')])
  expect(await readText(uriOf('a b'))).toBe('π')
  expect(await readResult(uriOf('a b'), 2)).toEqual(Buffer.from('π'))
  expect(readdirSync(directory)).toEqual(['a b'])
})

test('a result that is not there is none, and no text', async () => {
  expect(await readResult(uriOf('nothing'), 10)).toBeUndefined()
  await expect(readText(uriOf('nothing'))).rejects.toBeInstanceOf(BackendRejected)
})

test('a result above the limit is refused, with its size and where it is', async () => {
  await writeFile(join(directory, 'large'), '12345')
  await expect(readResult(uriOf('large'), 4)).rejects.toThrow(`${uriOf('large')} has 5 bytes, more than the 4`)
})

test('what is no file is refused', async () => {
  await mkdir(join(directory, 'folder'))
  await expect(readResult(uriOf('folder'), 4)).rejects.toThrow('is not a file')
  await expect(readResult('s3://bucket/key', 4)).rejects.toBeInstanceOf(BackendRejected)
})
