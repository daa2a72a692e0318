import type { Caller } from '../app/caller.ts'

/** What the middleware leaves for the routes. */
export interface HttpEnv {
  Variables: { caller: Caller }
}
