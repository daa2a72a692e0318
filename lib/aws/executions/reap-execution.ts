import { executionEvent } from '../../schema/lambda.ts'
import type { Aws } from '../compose.ts'
import { parseExecutionName } from './execution-name.ts'
import { type TakenUp, takeUp } from './take-up.ts'

/** Go on with the dispatch of an execution that has ended, as `takeUp` says; `left` for executions of other machines. */
export async function reapExecution(aws: Aws, stateMachineArn: string, event: unknown): Promise<TakenUp> {
  const { detail } = executionEvent.parse(event)
  const loop = parseExecutionName(detail.name)
  if (!loop || detail.stateMachineArn !== stateMachineArn || detail.status === 'RUNNING') return 'left'
  return takeUp(aws, loop, detail.status === 'ABORTED' ? 'aborted' : 'closed')
}
