import { executionEvent } from '../../schema/lambda.ts'
import type { Aws } from '../compose.ts'
import { parseExecutionName } from './execution-name.ts'
import { type TakenUp, takeUp } from './take-up.ts'

/** One that ends sooner would be followed at once by another that ends as soon, and so on. */
const shortestMs = 60_000

/**
 * Go on with the dispatch of an execution that has ended, as `takeUp` says; `left` for executions of other machines.
 *
 * One that failed within a minute of its start is left to the sweep, which comes every five minutes, and an alarm tells of it:
 * what makes it fail is not gone yet.
 */
export async function reapExecution(aws: Aws, stateMachineArn: string, event: unknown): Promise<TakenUp> {
  const { detail } = executionEvent.parse(event)
  const loop = parseExecutionName(detail.name)
  if (!loop || detail.stateMachineArn !== stateMachineArn || detail.status === 'RUNNING') return 'left'
  const { startDate, stopDate, status } = detail
  const isEarly = startDate !== undefined && typeof stopDate === 'number' && stopDate - startDate < shortestMs
  if (isEarly && status !== 'ABORTED') {
    aws.context.log({ decision: 'loop-failed-early', dispatchId: loop.dispatchId, epoch: loop.epoch })
    return 'left'
  }
  return takeUp(aws, loop, status === 'ABORTED' ? 'aborted' : 'closed')
}
