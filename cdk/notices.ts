import { EventField, type EventPattern, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { eventSource, type StateChangeEvent } from '../lib/schema/announcements.ts'

/** What people can be told of. */
export const noticeNames = [
  'dispatch-ended',
  'dispatch-failed',
  'task-failed',
  'cancellation-requested',
  'cancellation-unconfirmed',
  'cancellation-confirmed',
] as const

export type NoticeName = (typeof noticeNames)[number]

/** The events that a notice is about, and its words. */
export interface Notice {
  readonly pattern: EventPattern
  readonly message: RuleTargetInput
}

const field = (name: string) => EventField.fromPath(`$.detail.${name}`)
const dispatch = `${field('dispatchName')} (${field('dispatchId')})`

/** Of dispatches inside dispatches nobody is told: their ends and cancels are those of the one that they belong to. */
const outermost = { depth: [0] }

export function noticeOf(name: NoticeName): Notice {
  switch (name) {
    case 'dispatch-ended':
      return dispatchNotice(['succeeded', 'failed', 'cancelled'])
    case 'dispatch-failed':
      return dispatchNotice(['failed'])
    case 'task-failed':
      return notice(
        'Quench Task State Change',
        { state: ['failed'] },
        `Task ${field('name')} of ${dispatch} has failed on ${field('executor')}, in attempt ${field('attempt')}.`,
      )
    case 'cancellation-requested':
      return cancellationNotice('stopping', 'is being stopped', `${field('open')} tasks were open`)
    case 'cancellation-unconfirmed':
      return cancellationNotice(
        'unconfirmed',
        'does not stop',
        `${field('open')} jobs are overdue; Quench goes on trying`,
      )
    case 'cancellation-confirmed':
      return cancellationNotice('confirmed', 'has been stopped', `${field('abandoned')} tasks were given up unstarted`)
  }
}

function dispatchNotice(state: readonly string[]): Notice {
  const counts = ['succeeded', 'failed', 'cancelled', 'skipped'].map((one) => `${field(`tasks.${one}`)} ${one}`)
  const text = `Dispatch ${dispatch} has ended: ${field('state')}. Tasks: ${counts.join(', ')}.`
  return notice('Quench Dispatch State Change', { ...outermost, state: [...state] }, text)
}

function cancellationNotice(state: string, what: string, count: string): Notice {
  const who = `${field('actor')} (${field('source')}: ${field('reason')})`
  const text = `What was cancelled of ${dispatch} ${what}: ${count}. Asked for by ${who}.`
  return notice('Quench Cancellation State Change', { ...outermost, state: [state] }, text)
}

function notice(detailType: StateChangeEvent['detailType'], detail: object, text: string): Notice {
  const message = RuleTargetInput.fromText(text)
  return { pattern: { source: [eventSource], detailType: [detailType], detail }, message }
}
