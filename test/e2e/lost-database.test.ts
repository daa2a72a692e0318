import { rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aRegion, aTask, until } from './a-region.ts'

test('a database that is gone is not taken for a new one, and what runs is named', async () => {
  await using server = await aRegion()
  const dispatchId = await server.dispatch({ name: 'left', tasks: [aTask('batch', 'left', 'exec sleep 600')] })
  await until('it runs', async () => (await server.liveTasks(dispatchId)).length === 1)
  await server.down('SIGKILL')
  rmSync(join(server.directory, 'dynamodb'), { recursive: true })

  const error = await server.up().catch(String)
  expect(error).toMatch(/The database in .* is gone; a server on it would know of nothing\./)
  expect(error).toMatch(/\d+ processes of its jobs are running: \d+/)
  expect(error).not.toMatch(/\n\s+at /)
  expect(await server.liveTasks(dispatchId)).toEqual([0])
})

test('a database that cannot be read is not taken either', async () => {
  await using server = await aRegion()
  await server.down('SIGTERM')
  const folder = join(server.directory, 'dynamodb')
  for (const name of await readdir(folder)) if (/^MANIFEST/.test(name)) writeFileSync(join(folder, name), 'nonsense')
  const error = await server.up().catch(String)
  expect(error).toMatch(/The database in .* cannot be read/)
  expect(error).toMatch(/Nothing of its jobs is running\./)
  expect(error).not.toMatch(/\n\s+at /)
})
