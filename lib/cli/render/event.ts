import type { EventView } from '../../schema/api.ts'
import type { Paint } from './paint.ts'
import { printable } from './text.ts'

/** Lines of the timeline: each has the instant of its event. */
export function renderEvent({ at, lines }: EventView, paint: Paint): string[] {
  return lines.map((line) => `${paint('dim', at)}  ${printable(line)}`)
}
