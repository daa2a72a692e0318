import { DescribeInstanceInformationCommand } from '@aws-sdk/client-ssm'
import { type Deadline, hostAwayCode, type Observation } from '../executor.ts'
import { within } from '../within.ts'
import type { RunCommand } from './run-command.ts'

/** Why a host takes no scripts. `gone`: for good, and all that ran there with it. `away`: it may come back. */
export interface Absence {
  readonly kind: 'gone' | 'away'
  /** What is known, for people. */
  readonly message: string
}

/**
 * Ask what has become of a host that Run Command did not reach.
 *
 * Gone is only what EC2 says of an instance: that it is terminated, or that there is none of this id (it forgets a
 * terminated one after about an hour, and gives no id twice). One that is stopped may be hibernating, and a machine outside
 * of EC2 is known to Systems Manager alone: both are away. So is a host that nobody could be asked about.
 * Source: EC2 user guide, "Instance lifecycle" and "Hibernate your instance"; EC2 API reference, TerminateInstances, error
 * codes; Systems Manager API reference, InstanceInformation.
 */
export async function explainAbsence(
  { ssm, describeInstance }: RunCommand,
  instanceId: string,
  deadline: Deadline | undefined,
): Promise<Absence> {
  if (describeInstance && instanceId.startsWith('i-')) {
    const state = await within(deadline, ({ abortSignal }) => describeInstance(instanceId, abortSignal)).catch(
      () => undefined,
    )
    if (state === 'terminated') return { kind: 'gone', message: `${instanceId} was terminated` }
    if (state === 'none') return { kind: 'gone', message: `EC2 has no instance ${instanceId} any more` }
    if (state !== undefined && state !== 'running') return { kind: 'away', message: `${instanceId} is ${state}` }
  }
  const command = new DescribeInstanceInformationCommand({ Filters: [{ Key: 'InstanceIds', Values: [instanceId] }] })
  const known = await within(deadline, (how) => ssm.send(command, how)).catch(() => undefined)
  const { PingStatus, LastPingDateTime } = known?.InstanceInformationList?.[0] ?? {}
  const lastHeard = LastPingDateTime ? `, which heard from it last at ${LastPingDateTime.toISOString()}` : ''
  const status = PingStatus === undefined ? 'is not connected' : `has the status ${PingStatus}`
  return { kind: 'away', message: `${instanceId} ${status} in Systems Manager${lastHeard}` }
}

/** Of a job whose host is away: nothing is known of it, and why. */
export function hostAway(message: string, source: string): Observation {
  return { state: 'unknown', failure: { code: hostAwayCode, message, retryable: true, source } }
}
