import { describe, expect, test } from 'vitest'
import { identify } from '../../lib/aws/identify.ts'
import { Forbidden } from '../../lib/domain/errors.ts'
import { httpEventOf, signedBy, withClaims } from './events.ts'

const admins = {
  principals: ['arn:aws:iam::111122223333:role/team/Operator', 'arn:aws:iam::111122223333:user/root-ish', 'subject-7'],
  groups: ['quench-admins'],
}
const callerOf = (authorizer: object | undefined) =>
  identify(httpEventOf({ method: 'GET', path: '/', ...(authorizer && { authorizer }) }), {
    admins,
    groupsClaim: 'cognito:groups',
  })

describe('a request signed with IAM', () => {
  test.each([
    ['arn:aws:iam::111122223333:user/ada', false],
    ['arn:aws:iam::111122223333:user/root-ish', true],
    ['arn:aws:sts::111122223333:assumed-role/Scientist/ada', false],
    ['arn:aws:sts::111122223333:assumed-role/Operator/grace', true],
    ['arn:aws:sts::999999999999:assumed-role/Operator/mallory', false],
    ['arn:aws:sts::111122223333:assumed-role/Operator-2/mallory', false],
  ])('is of %s; admin: %s', (userArn, isAdmin) => {
    expect(callerOf(signedBy(userArn))).toEqual({ id: userArn, isAdmin })
  })
})

describe('a request with a token', () => {
  test.each([
    [{ sub: 'subject-1' }, 'subject-1', false],
    [{ sub: 'subject-7' }, 'subject-7', true],
    [{ sub: 'subject-1', 'cognito:groups': '[users quench-admins]' }, 'subject-1', true],
    [{ sub: 'subject-1', 'cognito:groups': ['quench-admins'] }, 'subject-1', true],
    [{ sub: 'subject-1', 'cognito:groups': 'not-quench-admins' }, 'subject-1', false],
    [{ sub: 'subject-1', groups: 'quench-admins' }, 'subject-1', false],
  ])('is of its subject: %j', (claims, id, isAdmin) => {
    expect(callerOf(withClaims(claims))).toEqual({ id, isAdmin })
  })
})

test('a request that nobody has signed is refused', () => {
  for (const authorizer of [{}, withClaims({}), withClaims({ sub: '' }), { lambda: { sub: 'x' } }])
    expect(() => callerOf(authorizer)).toThrow(Forbidden)
  expect(() => identify({}, { admins, groupsClaim: 'groups' })).toThrow(Forbidden)
})
