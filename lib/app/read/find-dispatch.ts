import type { Dispatch } from '../../domain/dispatch.ts'
import { InvalidInput, NotFound } from '../../domain/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Caller } from '../caller.ts'

const fullLength = 36
const shortest = 4

/**
 * The dispatch that a caller means by an id or a unique prefix of one, if the caller may see it.
 *
 * Errors: NotFound, also for others' dispatches: that they exist is not for everyone to know. InvalidInput where a
 * prefix is too short or fits several.
 */
export async function findDispatch(store: Store, caller: Caller, idOrPrefix: string): Promise<Dispatch> {
  const id = idOrPrefix.length >= fullLength ? idOrPrefix : await completePrefix(store, caller, idOrPrefix)
  const dispatch = id === undefined ? undefined : await store.readDispatch(id)
  if (!dispatch || (dispatch.owner !== caller.id && !caller.isAdmin))
    throw new NotFound(`there is no dispatch ${idOrPrefix}`)
  return dispatch
}

async function completePrefix(store: Store, caller: Caller, prefix: string): Promise<string | undefined> {
  if (prefix.length < shortest)
    throw new InvalidInput(`"${prefix}" is too short for an id: give at least ${shortest} characters`)
  const [id, other] = await store.findByPrefix(caller.id, prefix, 2)
  if (other !== undefined) throw new InvalidInput(`more than one dispatch begins with ${prefix}: give more of the id`)
  return id
}
