import { describe, expect, test } from 'vitest'
import { backendError } from '../../lib/back-ends/aws-errors.ts'
import { BackendRejected, BackendUnavailable } from '../../lib/domain/errors.ts'

const anError = (name: string, fields: object = {}) => Object.assign(new Error('no'), { name, ...fields })
const withStatus = (httpStatusCode: number, $fault?: string) => ({
  ...($fault && { $fault }),
  $metadata: { httpStatusCode },
})

describe('an error of a call', () => {
  test.each([
    ['a throttle', anError('ThrottlingException', withStatus(400, 'client'))],
    ['a throttle by another name', anError('SomethingException', withStatus(429, 'client'))],
    ['credentials that are over', anError('ExpiredTokenException', withStatus(403, 'client'))],
    ['credentials that are not there', anError('CredentialsProviderError')],
    ['a connection that did not come about', anError('Error', { code: 'ECONNREFUSED' })],
    ['a name that is not found', anError('Error', { code: 'ENOTFOUND' })],
  ])('that is %s had no effect, and is worth another try', (_, cause) => {
    const error = backendError('SubmitJob', cause)
    expect(error).toBeInstanceOf(BackendUnavailable)
    expect(error).toMatchObject({ arrived: 'no', message: 'SubmitJob: no', cause })
  })

  test.each([
    ['the service’s word against the request', anError('ClientException', withStatus(400, 'client'))],
    ['the same without a status', anError('ValidationException', { $fault: 'client' })],
    ['a status that is a client’s fault', anError('UnknownError', withStatus(403))],
  ])('that is %s is for good', (_, cause) => {
    const error = backendError('SubmitJob', cause)
    expect(error).toBeInstanceOf(BackendRejected)
    expect(error).toMatchObject({ message: 'SubmitJob: no', cause })
  })

  test.each([
    ['a connection that broke', anError('Error', { code: 'ECONNRESET' })],
    ['a time-out of ours', anError('TimeoutError')],
    ['a time-out of theirs', anError('RequestTimeoutException', withStatus(408, 'client'))],
    ['a 500', anError('ServerException', withStatus(500, 'server'))],
    ['a 503 of a gateway in between', anError('UnknownError', withStatus(503))],
    ['anything else', anError('Error')],
  ])('that is %s may have had its effect', (_, cause) => {
    const error = backendError('SubmitJob', cause)
    expect(error).toBeInstanceOf(BackendUnavailable)
    expect(error).toMatchObject({ arrived: 'unknown', message: 'SubmitJob: no', cause })
  })
})
