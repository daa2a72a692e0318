import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'

interface PretendQueueOptions {
  readonly schedule: (seconds: number, work: () => Promise<unknown>) => void
  readonly consume: (event: unknown) => Promise<unknown>
}

interface Message {
  readonly messageId: string
  readonly body: string
  received: number
}

const visibilitySeconds = 174
const maxReceives = 5

/** A queue of SQS with a function behind it, a message at a time; what fails too often is a dead letter. */
export function createPretendQueue({ schedule, consume }: PretendQueueOptions) {
  const sent: Message[] = []
  const deadLetters: Message[] = []
  /** The messages of a call that the next call does not take. */
  const refusing = new Set<number>()

  const deliver = (message: Message, afterSeconds: number) =>
    schedule(afterSeconds, async () => {
      message.received += 1
      const record = { messageId: message.messageId, body: message.body, eventSource: 'aws:sqs' }
      const answer = (await consume({ Records: [record] }).catch(() => undefined)) as
        | { batchItemFailures: readonly unknown[] }
        | undefined
      if (answer && answer.batchItemFailures.length === 0) return
      if (message.received < maxReceives) deliver(message, visibilitySeconds)
      else deadLetters.push(message)
    })

  return {
    sent,
    deadLetters,
    refuseNext: (...indexes: readonly number[]) => {
      for (const index of indexes) refusing.add(index)
    },
    answer: async (command: SendMessageBatchCommand) => {
      const { Entries = [] } = command.input
      if (Entries.length > 10) throw new Error('TooManyEntriesInBatchRequest')
      const Failed = Entries.flatMap(({ Id }, index) =>
        refusing.has(index) ? [{ Id, Code: 'InternalError', SenderFault: false }] : [],
      )
      for (const [index, { MessageBody = '', DelaySeconds = 0 }] of Entries.entries()) {
        if (refusing.has(index)) continue
        const message = { messageId: `queued-${sent.length}`, body: MessageBody, received: 0 }
        sent.push(message)
        deliver(message, DelaySeconds)
      }
      refusing.clear()
      return { Failed }
    },
  }
}
