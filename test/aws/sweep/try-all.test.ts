import { expect, test } from 'vitest'
import { tryAll } from '../../../lib/aws/sweep/try-all.ts'

test('everything is tried, and what failed is told with its name', async () => {
  const tried: string[] = []
  const work = async (name: string) => {
    tried.push(name)
    if (name !== 'b') throw new Error(`no ${name}`)
    return name
  }
  await expect(tryAll(1, ['a', 'b', 'c'], work)).rejects.toThrow('a: no a; c: no c')
  expect(tried).toEqual(['a', 'b', 'c'])
  expect(await tryAll(2, ['b', 'b'], work)).toEqual(['b', 'b'])
})

test('a line of the log has room for the first ten failures', async () => {
  const names = Array.from({ length: 1000 }, (_, n) => `dispatch-${n}`)
  const error = await tryAll(5, names, () => Promise.reject(new Error('no'))).catch((thrown: Error) => thrown)
  expect(error).toHaveProperty('message', expect.stringMatching(/dispatch-9: no; and 990 more$/))
})
