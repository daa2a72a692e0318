import type { Action, AttemptId } from '../../domain/turn/action.ts'

/**
 * What a loop has begun and not finished, so that a turn need not wait for it: the next one begins only what is not under
 * way already.
 */
export interface UnderWay {
  /** The action without the tasks for which the same is under way; undefined where nothing is left of it. */
  begin(action: Action): Action | undefined
  end(begun: Action): void
}

/**
 * Keep apart what is under way by kind: a poll that hangs keeps no kill from its job, and a request to end no kill by force.
 */
export function createUnderWay(): UnderWay {
  const keys = new Set<string>()
  const kindOf = ({ kind, mode }: Action) => `${kind} ${mode ?? ''}`
  const keyOf = (action: Action, { taskId, attempt }: AttemptId) => `${kindOf(action)} ${taskId} ${attempt}`
  const packOf = ({ pack }: Action) => `pack ${pack}`
  const keysOf = (action: Action) =>
    action.pack === undefined ? action.tasks.map((task) => keyOf(action, task)) : [packOf(action)]

  return {
    begin: (action) => {
      const left =
        action.pack === undefined
          ? { ...action, tasks: action.tasks.filter((task) => !keys.has(keyOf(action, task))) }
          : action
      if (action.pack === undefined ? left.tasks.length === 0 : keys.has(packOf(action))) return undefined
      for (const key of keysOf(left)) keys.add(key)
      return left
    },
    end: (begun) => {
      for (const key of keysOf(begun)) keys.delete(key)
    },
  }
}
