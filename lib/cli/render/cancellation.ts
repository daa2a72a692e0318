import type { CancelAnswer, CancelCounts, CancellationView } from '../../schema/api.ts'
import type { Paint } from './paint.ts'
import { plural } from './text.ts'

/** What a cancel does, or would do. */
export function renderCounts({ counts }: CancelAnswer): string {
  const { stopping, abandoned, finished, backends } = counts
  const jobs = Object.entries(backends).map(([name, count]) => `${name} ${count}${etaOf(counts, name)}`)
  const where = jobs.length > 0 ? ` (${jobs.join(', ')})` : ''
  return `stopping ${plural(stopping, 'job')}${where}, abandoning ${plural(abandoned, 'task')}; ${finished} finished already`
}

/** What to know of an answer beside its counts: what could not be done in time, and goes on. */
export function renderDelays({ unasked = {}, isLoopLate }: CancelAnswer): string[] {
  const jobs = Object.entries(unasked).map(([name, count]) => `${name} ${count}`)
  return [
    ...(jobs.length > 0
      ? [`not asked to stop yet, since their back end has not answered (${jobs.join(', ')}); it is asked again`]
      : []),
    ...(isLoopLate ? ['the loop that goes on with this could not be started yet; it will be, within minutes'] : []),
  ]
}

/** `dispatch X`, `3 tasks of dispatch X and what needs them`. */
export function renderScope({ scope, dispatchId, targets }: CancelAnswer): string {
  if (scope === 'dispatch') return `dispatch ${dispatchId}`
  const tasks = targets.length === 1 ? `task ${targets[0]?.name}` : plural(targets.length, 'task')
  return `${tasks} of dispatch ${dispatchId}, with all that needs ${targets.length === 1 ? 'it' : 'them'}`
}

/** A sentence for a cancel that comes too late. */
export function renderNothingToCancel(answer: CancelAnswer): string {
  const { scope, dispatchId, targets } = answer
  if (scope === 'dispatch') return `Nothing to cancel: every task of dispatch ${dispatchId} had finished already.`
  const found = targets.map(({ name, state }) => `${name} (${state})`).join(', ')
  return `Nothing to cancel in dispatch ${dispatchId}: finished already: ${found}.`
}

/** A line for each back end that had jobs to stop, and one about the tasks that will never start. */
export function renderConfirmations(view: CancellationView, paint: Paint): string[] {
  const backends = Object.entries(view.backends)
  const width = Math.max(0, ...backends.map(([name]) => name.length))
  const lines = backends.map(([name, { requested, confirmed, unconfirmed }]) => {
    const line = `${name.padEnd(width)}  requested ${requested}  confirmed ${confirmed}  unconfirmed ${unconfirmed}`
    return unconfirmed > 0 ? paint('red', line) : line
  })
  return view.abandoned > 0 ? [...lines, `${plural(view.abandoned, 'task')} abandoned`] : lines
}

/** The last word of `cancel --wait`. */
export function renderVerdict({ state }: CancellationView, paint: Paint): string {
  switch (state) {
    case 'confirmed':
      return paint('green', 'Every job is confirmed to have ended.')
    case 'stopping':
      return 'Jobs are stopping.'
    case 'unconfirmed':
      return paint('red', 'Some jobs are not confirmed to have ended. Quench goes on trying.')
    case 'not-applied':
      return paint('red', 'The cancellation was not applied, and nothing was stopped. Cancel again.')
    default:
      return state satisfies never
  }
}

/** Asking for a cancel can take its time where a quota is low. */
function etaOf({ etaSeconds }: CancelCounts, backend: string): string {
  const seconds = etaSeconds?.[backend] ?? 0
  return seconds > 0 ? `, about ${Math.ceil(seconds)} s` : ''
}
