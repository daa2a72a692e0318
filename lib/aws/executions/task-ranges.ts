import type { AttemptId } from '../../domain/turn/action.ts'

/**
 * Attempts in few characters: `0-99:1 105:2` is the first attempt of tasks 0 to 99 and the second of task 105.
 *
 * 10,000 tasks in a state's output must stay below 256 KiB (Step Functions developer guide, "Quotas"); as objects they
 * would not.
 */
export function writeRanges(attempts: readonly AttemptId[]): string {
  const ranges: { first: number; last: number; attempt: number }[] = []
  for (const { taskId, attempt } of attempts) {
    const open = ranges.at(-1)
    if (open && open.last === taskId - 1 && open.attempt === attempt) open.last = taskId
    else ranges.push({ first: taskId, last: taskId, attempt })
  }
  return ranges.map(({ first, last, attempt }) => `${first === last ? first : `${first}-${last}`}:${attempt}`).join(' ')
}

/** The attempts behind what `writeRanges` wrote. */
export function readRanges(text: string): readonly AttemptId[] {
  if (text === '') return []
  return text.split(' ').flatMap((range) => {
    const [tasks = '', attempt] = range.split(':')
    const [first, last = first] = tasks.split('-').map(Number)
    if (first === undefined || last === undefined) return []
    return Array.from({ length: last - first + 1 }, (_, n) => ({ taskId: first + n, attempt: Number(attempt) }))
  })
}
