import { setTimeout as delay } from 'node:timers/promises'
import { GetCommandInvocationCommand, SendCommandCommand, type SSMClient } from '@aws-sdk/client-ssm'
import { BackendRejected, BackendUnavailable, type CallError } from '../../domain/errors.ts'
import { backendError } from '../aws-errors.ts'
import type { Deadline } from '../executor.ts'
import { within } from '../within.ts'
import type { DescribeInstance } from './describe-instance.ts'
import { HostUnreachable } from './host-unreachable.ts'
import { maxScriptBytes, scriptBytes } from './script-size.ts'

export interface RunCommand {
  readonly ssm: Pick<SSMClient, 'send'>
  /** Tells what has become of an instance that takes no scripts. Default: nobody does, and it counts as away. */
  readonly describeInstance?: DescribeInstance
  /** Default: real time. */
  readonly sleep?: (ms: number) => Promise<unknown>
}

export interface HostScript {
  readonly instanceId: string
  readonly script: string
  /** Shown in the AWS console. */
  readonly comment: string
  /** Default 120. The agent kills the script's process group after that. */
  readonly executionSeconds?: number
}

export interface ScriptResult {
  readonly exitCode: number
  /** At most 24,000 characters; what was longer ends in the middle of something. */
  readonly stdout: string
  readonly stderr: string
}

/**
 * Source: API reference, SendCommand: 30 is the least, and an offline host should not keep us longer. With the time that a
 * script may take it stays below the lease of a claim (300 s): a host that answers after that has begun no script since.
 */
const deliverySeconds = 30
/** Source: API reference, SendCommand: 100 characters. */
const maxCommentLength = 100
/**
 * Run a shell script on a host through Systems Manager, and wait for its end.
 *
 * Guarantees: it ends with its deadline; the script may run on then. A script may run twice (the SDK repeats SendCommand, which has no client token), so it must be idempotent.
 * Errors: BackendUnavailable (HostUnreachable where it is the host that is not there), `arrived: 'no'` when the service refused to send it; `'unknown'` when it did not end in time,
 * was not delivered in time, or nobody could say so. BackendRejected when Systems Manager refuses the call. A script that ends with
 * another code than 0 is a result.
 * Source: Systems Manager user guide, "Understanding command statuses"; API reference, SendCommand, GetCommandInvocation.
 */
export async function runScript(
  { ssm, sleep = delay }: RunCommand,
  host: HostScript,
  deadline?: Deadline,
): Promise<ScriptResult> {
  const { instanceId, script, comment, executionSeconds = 120 } = host
  if (scriptBytes(script) > maxScriptBytes)
    throw new BackendRejected(`the script is ${scriptBytes(script)} bytes; Run Command takes ${maxScriptBytes}`)

  const command = new SendCommandCommand({
    DocumentName: 'AWS-RunShellScript',
    InstanceIds: [instanceId],
    Comment: comment.slice(0, maxCommentLength),
    TimeoutSeconds: deliverySeconds,
    Parameters: { commands: [script], executionTimeout: [String(executionSeconds)] },
  })
  const sent = await within(deadline, (how) => ssm.send(command, how)).catch((error: unknown) => {
    throw isOffline(error) ? offline(instanceId, error) : backendError('SendCommand', error)
  })
  const CommandId = sent.Command?.CommandId
  if (!CommandId) throw new BackendUnavailable('SendCommand: an answer without command id', { arrived: 'unknown' })

  const patienceMs = (deliverySeconds + executionSeconds + 10) * 1000
  let pauseMs = 20
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pauseMs, pauseMs = Math.min(pauseMs * 1.5, 2000)) {
    const question = new GetCommandInvocationCommand({ CommandId, InstanceId: instanceId })
    const invocation = await within(deadline, (how) => ssm.send(question, how)).catch((error: unknown) => {
      // Eventually consistent: straight after SendCommand it may not be there yet.
      if (nameOf(error) === 'InvocationDoesNotExist') return undefined
      throw onItsWay(backendError('GetCommandInvocation', error))
    })
    const { Status = 'Pending', StatusDetails = Status, ResponseCode = -1 } = invocation ?? {}
    // The user guide spells them with spaces, the service without.
    const details = StatusDetails.replaceAll(' ', '')
    const text = `${instanceId}: ${details}`
    switch (Status) {
      case 'Pending':
      case 'InProgress':
      case 'Delayed':
      case 'Cancelling':
        break
      case 'Success':
      case 'Failed': {
        const { StandardOutputContent = '', StandardErrorContent = '' } = invocation ?? {}
        const isResult = details === 'Success' || (details === 'Failed' && ResponseCode >= 0)
        if (isResult) return { exitCode: ResponseCode, stdout: StandardOutputContent, stderr: StandardErrorContent }
        if (details === 'InvalidPlatform' || details === 'AccessDenied') throw new BackendRejected(text)
        throw notDone(details, text)
      }
      default:
        throw notDone(details, text)
    }
    await within(deadline, () => sleep(pauseMs)).catch((error: unknown) => {
      throw onItsWay(backendError(`${instanceId}: no answer from Run Command`, error))
    })
  }
  throw new BackendUnavailable(`${instanceId}: no answer from Run Command`, { arrived: 'unknown' })
}

/** The script is sent, whatever is wrong with the question for its end. */
const onItsWay = (error: CallError) => new BackendUnavailable(error.message, { arrived: 'unknown', cause: error })

/** SendCommand refuses ids of hosts whose agent is not connected, and cannot tell them from ids that never were. */
const isOffline = (error: unknown) => nameOf(error) === 'InvalidInstanceId'

/** DeliveryTimedOut and Undeliverable say what the service has heard: an agent that has begun may not have been heard yet. */
function notDone(details: string, text: string): BackendUnavailable {
  const isUnreached = details === 'DeliveryTimedOut' || details === 'Undeliverable'
  return new (isUnreached ? HostUnreachable : BackendUnavailable)(text, { arrived: 'unknown' })
}

const offline = (instanceId: string, cause: unknown) =>
  new HostUnreachable(`${instanceId} is not connected to Systems Manager`, { arrived: 'no', cause })

const nameOf = (error: unknown) => (error instanceof Error ? error.name : '')
