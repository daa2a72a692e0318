import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { Store } from '../../../lib/store/store.ts'

/** Ways to break the code where it meets the store: the search must find each. */

/** The look at the fence that stands after the claim shows what was there before it. */
export function fenceReadBeforeClaim(store: Store): Store {
  let seen: Dispatch | undefined
  return {
    ...store,
    claim: async (dispatchId, claim) => {
      seen = await store.readDispatch(dispatchId)
      return store.claim(dispatchId, claim)
    },
    readDispatch: async (dispatchId) => {
      const stale = seen
      seen = undefined
      return stale ?? store.readDispatch(dispatchId)
    },
  }
}

/** The look at the fence after the handle was stored does not see it. */
export function noSecondFenceRead(store: Store): Store {
  let isStored = false
  return {
    ...store,
    storeHandle: async (...args) => {
      isStored = await store.storeHandle(...args)
      return isStored
    },
    readDispatch: async (dispatchId) => {
      const dispatch = await store.readDispatch(dispatchId)
      return isStored && dispatch ? { ...dispatch, status: 'running', fences: {} } : dispatch
    },
  }
}

/** A canceller looks for live jobs before its fence stands. */
export function claimsReadBeforeFence(store: Store): Store {
  let early: ReturnType<Store['readLive']> | undefined
  return {
    ...store,
    writeFence: async (dispatchId, ...args) => {
      early = Promise.resolve(await store.readLive(dispatchId))
      return store.writeFence(dispatchId, ...args)
    },
    readLive: async (dispatchId) => early ?? store.readLive(dispatchId),
  }
}

/** A turn is committed whatever has changed since it was planned. */
export function noVersionCondition(store: Store): Store {
  return {
    ...store,
    commitTurn: async (dispatchId, version, changes) => {
      const now = await store.readDispatch(dispatchId)
      return store.commitTurn(dispatchId, now?.version ?? version, changes)
    },
  }
}

/** Whoever is second has the claim as well. */
export function claimsWithoutCondition(store: Store): Store {
  return {
    ...store,
    claim: async (...args) => {
      await store.claim(...args)
      return true
    },
  }
}

/** A submit does not look whether another job stands for its attempt already. */
export function twinsAreKept(store: Store): Store {
  return {
    ...store,
    storeHandle: async (...args) => {
      await store.storeHandle(...args)
      return true
    },
  }
}

/** A fence is written over whatever epoch there is. */
export function fenceOverAnyEpoch(store: Store): Store {
  return {
    ...store,
    writeFence: async (dispatchId, fence, at) => {
      const now = await store.readDispatch(dispatchId)
      return store.writeFence(dispatchId, fence, { ...at, epoch: now?.epoch ?? at.epoch })
    },
  }
}
