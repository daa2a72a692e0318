import { PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { stateChangeEvent } from '../../lib/schema/announcements.ts'

/** An event as its receivers get it. */
export interface Told {
  readonly source: string
  readonly 'detail-type': string
  readonly time: string
  readonly detail: { readonly eventId: string; readonly dispatchId: string; readonly state: string } & Record<
    string,
    unknown
  >
}

/**
 * The default event bus: keeps what it takes, and takes only what is as documented. `answer` is a client's `send`.
 *
 * Source: EventBridge API reference, PutEvents.
 */
export function createPretendBus() {
  const told: Told[] = []
  const calls: number[] = []
  let refusals = 0

  const take = ({ Source = '', DetailType = '', Detail = '', Time }: PutEventsRequestEntry) => {
    if (refusals > 0) {
      refusals -= 1
      return { ErrorCode: 'InternalFailure', ErrorMessage: 'try again' }
    }
    const detail = JSON.parse(Detail)
    stateChangeEvent.parse({ detailType: DetailType, detail })
    told.push({ source: Source, 'detail-type': DetailType, time: Time?.toISOString() ?? '', detail })
    return { EventId: `event-${told.length}` }
  }

  return {
    told,
    /** How many entries each call had. */
    calls,
    /** The next entries are refused. */
    refuse: (count: number) => {
      refusals = count
    },
    answer: async (command: unknown): Promise<unknown> => {
      if (!(command instanceof PutEventsCommand)) throw new Error('the pretended bus takes events only')
      const { Entries = [] } = command.input
      if (Entries.length < 1 || Entries.length > 10) throw new Error(`PutEvents with ${Entries.length} entries`)
      calls.push(Entries.length)
      const answers = Entries.map(take)
      return { FailedEntryCount: answers.filter((one) => 'ErrorCode' in one).length, Entries: answers }
    },
  }
}
