import type { Generation } from '../../store/dynamo/wake.ts'

/** Which loop of which dispatch an execution of the state machine is. */
export interface ExecutionRef extends Generation {
  readonly dispatchId: string
}

/**
 * The name of an execution: `<dispatchId>-<epoch>-<generation>`, at most 80 characters (API reference, StartExecution).
 *
 * A name is used once: that of a closed execution is not free again for 90 days.
 */
export function executionName({ dispatchId, epoch, generation }: ExecutionRef): string {
  return `${dispatchId}-${epoch}-${generation}`
}

const pattern = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d{1,15})-(\d{1,15})$/

/** The loop behind the name of an execution; undefined where it is not one of ours. */
export function parseExecutionName(name: string): ExecutionRef | undefined {
  const match = pattern.exec(name)
  if (!match) return undefined
  const [, dispatchId = '', epoch, generation] = match
  return { dispatchId, epoch: Number(epoch), generation: Number(generation) }
}

/** The ARN of an execution follows from that of its state machine. */
export function executionArn(stateMachineArn: string, name: string): string {
  return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
}

/** The account that a state machine is in. */
export function accountOf(stateMachineArn: string): string {
  return stateMachineArn.split(':')[4] ?? ''
}
