import type { Api } from '../../lib/app/api.ts'
import type { Context } from '../../lib/app/context.ts'
import { createApi } from '../../lib/app/create-api.ts'
import {
  type CancelRequestInput,
  cancelRequest,
  type RedriveRequestInput,
  redriveRequest,
} from '../../lib/schema/api.ts'

type Cancel = Api['cancelDispatch']
type Redrive = Api['redriveDispatch']

/** The use cases, for requests as people write them: what they leave out is filled in, as at the edge. */
export interface LenientApi extends Omit<Api, 'cancelDispatch' | 'redriveDispatch'> {
  cancelDispatch(...args: Lenient<Parameters<Cancel>, CancelRequestInput>): ReturnType<Cancel>
  redriveDispatch(...args: Lenient<Parameters<Redrive>, RedriveRequestInput>): ReturnType<Redrive>
}

type Lenient<Args extends readonly unknown[], Request> = [Args[0], string, Request, string?]

export function createLenientApi(context: Context): LenientApi {
  const api = createApi(context)
  return {
    ...api,
    cancelDispatch: (caller, id, request, key) => api.cancelDispatch(caller, id, cancelRequest.parse(request), key),
    redriveDispatch: (caller, id, request, key) => api.redriveDispatch(caller, id, redriveRequest.parse(request), key),
  }
}
