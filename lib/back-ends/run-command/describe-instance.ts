import { Sha256 } from '@aws-crypto/sha256-js'
import type { SSMClient } from '@aws-sdk/client-ssm'
import { SignatureV4 } from '@smithy/signature-v4'

/** The state of an EC2 instance as EC2 spells it (`running`, `stopped`, `terminated`), or `none` where there is no such one. */
export type DescribeInstance = (instanceId: string, signal?: AbortSignal) => Promise<string>

interface Ec2Account {
  /** Its Region and its credentials are used. */
  readonly ssm: Pick<SSMClient, 'config'>
  readonly fetch?: typeof globalThis.fetch
}

/** Source: EC2 API reference, DescribeInstances. */
const version = '2016-11-15'
const patienceMs = 10_000

/**
 * Asks EC2 for the state of one instance: one field of one call, for which the SDK's client of EC2, of several megabytes,
 * would go into every function that stops jobs.
 *
 * Errors: any, where EC2 does not answer, or refuses to.
 * Source: EC2 API reference, "Query requests"; DescribeInstances, "Error codes" (InvalidInstanceID.NotFound).
 */
export function createDescribeInstance({ ssm, fetch = globalThis.fetch }: Ec2Account): DescribeInstance {
  return async (instanceId, signal) => {
    const region = await ssm.config.region()
    const hostname = `ec2.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
    const query = { Action: 'DescribeInstances', Version: version, 'InstanceId.1': instanceId }
    const body = new URLSearchParams(query).toString()
    const signer = new SignatureV4({ service: 'ec2', region, credentials: ssm.config.credentials, sha256: Sha256 })
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: 'https:',
      hostname,
      path: '/',
      headers: { host: hostname, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body,
    })
    // fetch sends the host by itself.
    const { host: _, ...sent } = headers
    const signals = [AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])]
    const answer = await fetch(`https://${hostname}/`, {
      method: 'POST',
      headers: sent,
      body,
      signal: AbortSignal.any(signals),
    })
    const text = await answer.text()
    const code = /<Code>([\w.]+)<\/Code>/.exec(text)?.[1]
    if (!answer.ok && code === 'InvalidInstanceID.NotFound') return 'none'
    const state = /<instanceState>\s*<code>\d+<\/code>\s*<name>([a-z-]+)<\/name>/.exec(text)?.[1]
    if (!answer.ok || state === undefined) throw new Error(`DescribeInstances: ${answer.status} ${code ?? ''}`)
    return state
  }
}
