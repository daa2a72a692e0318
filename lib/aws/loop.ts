import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  InvalidToken,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn'
import type { Executions } from '../app/executions.ts'
import type { WakeStore } from '../store/dynamo/wake.ts'
import { type ExecutionRef, executionArn, executionName } from './executions/execution-name.ts'

interface SfnOptions {
  readonly sfn: Pick<SFNClient, 'send'>
  readonly stateMachineArn: string
  readonly wake: WakeStore
  readonly now: () => number
}

export interface SfnExecutions extends Executions {
  /** Start one execution. Harmless where its name was used before, running or closed. */
  launch(loop: ExecutionRef): Promise<void>
  /** `closed` is any end but ABORTED; `missing` also where it ended so long ago that Step Functions has forgotten it. */
  statusOf(loop: ExecutionRef): Promise<'running' | 'aborted' | 'closed' | 'missing'>
}

/**
 * The loops of dispatches as executions of the state machine (`cdk/dispatch-definition.ts`).
 *
 * `stop` reaches the newest execution of an epoch that has had a turn, and the one that it may have handed over to. One
 * that it misses, since the drain's first turn has put itself in that place already, ends at its next turn: of an older
 * epoch, it neither starts anything nor rests.
 * A token that `wake` finds stale belongs to a loop that has risen by itself. One that dies between ringing and sending
 * leaves the token to who rings next, at worst to the end of the rest.
 * Source: Step Functions API reference: StartExecution (idempotent while the execution runs), StopExecution,
 * SendTaskSuccess.
 */
export function createSfnExecutions({ sfn, stateMachineArn, wake, now }: SfnOptions): SfnExecutions {
  const arnOf = (loop: ExecutionRef) => executionArn(stateMachineArn, executionName(loop))

  const launch = async ({ dispatchId, epoch, generation }: ExecutionRef) => {
    const loop = { dispatchId, epoch, generation }
    const input = { stateMachineArn, name: executionName(loop), input: JSON.stringify(loop) }
    await sfn.send(new StartExecutionCommand(input)).catch(unless(ExecutionAlreadyExists))
  }

  return {
    launch,

    start: (dispatchId, epoch) => launch({ dispatchId, epoch, generation: 1 }),

    stop: async (dispatchId, epoch) => {
      const newest = await wake.read(dispatchId)
      const generation = newest?.epoch === epoch ? newest.generation : 1
      const cause = 'cancelled: a newer execution stops what still runs'
      for (const one of [generation, generation + 1]) {
        const executionArn = arnOf({ dispatchId, epoch, generation: one })
        await sfn
          .send(new StopExecutionCommand({ executionArn, error: 'Quench.Cancelled', cause }))
          .catch(unless(ExecutionDoesNotExist))
      }
    },

    wake: async (dispatchId) => {
      const taskToken = await wake.ring(dispatchId, now())
      if (taskToken === undefined) return
      await sfn
        .send(new SendTaskSuccessCommand({ taskToken, output: '{}' }))
        .catch(unless(TaskTimedOut, TaskDoesNotExist, InvalidToken))
    },

    statusOf: async (loop) => {
      const found = await sfn
        .send(new DescribeExecutionCommand({ executionArn: arnOf(loop), includedData: 'METADATA_ONLY' }))
        .catch(unless(ExecutionDoesNotExist))
      if (!found) return 'missing'
      if (found.status === 'RUNNING' || found.status === 'PENDING_REDRIVE') return 'running'
      return found.status === 'ABORTED' ? 'aborted' : 'closed'
    },
  }
}

/** Take an error of these classes for no error. */
function unless(...harmless: (abstract new (...args: never[]) => Error)[]): (error: unknown) => undefined {
  return (error) => {
    if (!harmless.some((one) => error instanceof one)) throw error
    return undefined
  }
}
