import type { Caller } from '../app/api.ts'

/** What the middleware leaves for the routes. */
export interface HttpEnv {
  Variables: { caller: Caller }
}
