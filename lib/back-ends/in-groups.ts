import { type CallError, isBackendError } from '../domain/errors.ts'

interface GroupedItems<Item, Key, Answer> {
  readonly items: readonly Item[]
  /** Of the place that an item is asked at. */
  keyOf(item: Item): Key
  /** One answer an item, in the same order. */
  ask(key: Key, group: readonly Item[]): Promise<readonly Answer[]>
  /** The answer of an item whose place did not answer while others did. */
  failed(error: CallError): Answer
}

/**
 * Ask every place about its items, all places at the same time.
 *
 * Shape: one answer an item, in the same order.
 * Errors: that of the first place, when not one answered.
 */
export async function inGroups<Item, Key, Answer>(grouped: GroupedItems<Item, Key, Answer>): Promise<Answer[]> {
  const { items, keyOf, ask, failed } = grouped
  const answers: Answer[] = new Array(items.length)
  const groups = [...Map.groupBy(items.keys(), (index) => keyOf(items[index] as Item))]
  const errors = await Promise.all(
    groups.map(async ([key, indexes]) => {
      try {
        const got = await ask(
          key,
          indexes.map((index) => items[index] as Item),
        )
        got.forEach((answer, at) => {
          answers[indexes[at] as number] = answer
        })
        return undefined
      } catch (error) {
        if (!isBackendError(error)) throw error
        for (const index of indexes) answers[index] = failed(error)
        return error
      }
    }),
  )
  const [first] = errors
  if (first && errors.every((error) => error !== undefined)) throw first
  return answers
}
