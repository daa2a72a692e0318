import { describe, expect, test } from 'vitest'
import { ada, httpEventOf, signedBy, withClaims } from '../aws/events.ts'
import { single, useWorlds } from './a-world.ts'

const aWorld = useWorlds()

describe('the API behind API Gateway', () => {
  test('takes a graph, and gives its dispatch to its owner', async () => {
    const world = await aWorld({ fates: { '0-1': { seconds: 1 } } })
    const submitted = await world.request('POST', '/dispatches', single)
    expect(submitted.statusCode).toBe(201)
    const { dispatchId: id } = submitted.body
    await world.end(id)
    expect(await world.request('GET', `/dispatches/${id}`)).toMatchObject({
      statusCode: 200,
      body: { owner: ada, state: 'succeeded' },
    })
    expect(await world.request('GET', '/dispatches?limit=5')).toMatchObject({ body: { items: [{ dispatchId: id }] } })
  })

  test("does not show others' dispatches, except to admins", async () => {
    const world = await aWorld({ fates: { '0-1': { seconds: 1 } } })
    const id = await world.submit(single)
    const as = async (authorizer: object) =>
      (await world.functions.api(httpEventOf({ method: 'GET', path: `/dispatches/${id}`, authorizer }))) as object
    expect(await as(signedBy('arn:aws:iam::111122223333:user/mallory'))).toMatchObject({ statusCode: 404 })
    expect(await as(withClaims({ sub: 'x', groups: '[users quench-admins]' }))).toMatchObject({ statusCode: 200 })
    expect(await as({})).toMatchObject({ statusCode: 403 })
    await world.end(id)
  })

  test('refuses a graph with all that is wrong with it', async () => {
    const world = await aWorld()
    const { statusCode, body } = await world.request('POST', '/dispatches', {
      name: 'wrong',
      tasks: [
        { name: 'a', executor: 'ssh' },
        { name: 'b', executor: 'batch', options: { comand: [] } },
      ],
    })
    expect(statusCode).toBe(400)
    expect(body.details.length).toBeGreaterThan(0)
    expect(world.loops()).toEqual([])
  })
})
