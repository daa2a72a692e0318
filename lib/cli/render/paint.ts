import { styleText } from 'node:util'
import type { DispatchState, TaskState } from '../../schema/api.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'blue'

/** Put `text` into a style, or leave it as it is where there are no colours. */
export type Paint = (style: Style, text: string) => string

/** Colours for what `stream` is: none for a file or pipe, none under NO_COLOR. */
export function createPaint(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream })
}

const styleByState: Readonly<Record<TaskState | DispatchState, Style>> = {
  pending: 'dim',
  submitting: 'blue',
  queued: 'blue',
  running: 'cyan',
  cancelling: 'yellow',
  unconfirmed: 'red',
  succeeded: 'green',
  failed: 'red',
  cancelled: 'yellow',
  skipped: 'dim',
}

export function styleOf(state: TaskState | DispatchState): Style {
  return styleByState[state]
}
