import { expect, test } from 'vitest'
import {
  BackendRejected,
  BackendUnavailable,
  Conflict,
  Forbidden,
  InvalidInput,
  isBackendError,
  isRefusal,
  NotFound,
} from '../../lib/domain/errors.ts'

test.each([InvalidInput, NotFound, Forbidden, Conflict, BackendRejected])('$name is named after its code', (kind) => {
  const cause = new Error('why')
  const details = [{ path: 'tasks[0]', message: 'no' }]
  const error = new kind('said so', { details, cause })
  expect(error.name).toBe(error.code)
  expect(error).toMatchObject({ message: 'said so', details, cause })
  expect(new kind('alone').details).toEqual([])
  expect(new kind('alone')).not.toHaveProperty('cause')
})

test('a back end that did not answer says whether the call may have arrived', () => {
  const error = new BackendUnavailable('time-out', { arrived: 'unknown', cause: 'socket' })
  expect(error).toMatchObject({ name: 'BackendUnavailable', arrived: 'unknown', cause: 'socket' })
})

test('only what back ends do is a back-end error', () => {
  expect(isBackendError(new BackendUnavailable('x', { arrived: 'no' }))).toBe(true)
  expect(isBackendError(new BackendRejected('x'))).toBe(true)
  expect(isBackendError(new NotFound('x'))).toBe(false)
  expect(isBackendError(new TypeError('x'))).toBe(false)
})

test('a refusal is final, a conflict or a back end that is away is not', () => {
  expect([new InvalidInput('x'), new NotFound('x'), new Forbidden('x')].every(isRefusal)).toBe(true)
  expect([new Conflict('x'), new BackendUnavailable('x', { arrived: 'no' }), new Error('x')].some(isRefusal)).toBe(
    false,
  )
})
