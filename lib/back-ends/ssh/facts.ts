import { z } from 'zod'
import { InvalidInput } from '../../domain/errors.ts'
import type { JsonObject } from '../../domain/json.ts'
import type { ExecutorFacts } from '../executor.ts'
import { commandOptions } from '../run-command/command-options.ts'
import { hostJobName, launchScript } from '../run-command/host-script.ts'
import { runCommandActions } from '../run-command/iam-actions.ts'
import { maxScriptBytes, scriptBytes } from '../run-command/script-size.ts'

/** By name. */
export type Hosts = Readonly<Record<string, { readonly instanceId: string }>>

/** A launch is a command of its own, unless it is a pack's; 1,000 handles of a host are one, or two where the output is long. */
export const sshChunk = { submit: 25, poll: 1000, cancel: 1000 } as const

/** Hosts behind Systems Manager, before any of them is asked. */
export function sshFacts(hosts: Hosts) {
  return {
    name: 'ssh',
    adopts: true,
    optionsSchema: optionsSchema(hosts),
    handleSchema,
    iamActions: runCommandActions,
    chunk: sshChunk,
    packing: {
      problem: (options: readonly JsonObject[]) => {
        const used = [...new Set(options.map(({ host }) => host))]
        return used.length > 1 ? `members of a pack run on one host, not on ${used.join(', ')}` : undefined
      },
      mayDifferInNeeds: true,
    },
  } satisfies ExecutorFacts
}

/** Bytes of a launch kept free for the `QUENCH_…` variables, which are not known when a graph is checked. */
const reservedBytes = 8_000

const taskOptions = z.strictObject({
  host: z.string(),
  ...commandOptions,
})

export type TaskOptions = z.infer<typeof taskOptions>

function optionsSchema(hosts: Hosts): ExecutorFacts['optionsSchema'] {
  const known = Object.keys(hosts)
  return taskOptions.superRefine(({ host, ...command }, context) => {
    if (!known.includes(host)) {
      const choice = known.length === 0 ? 'no host is configured' : `must be one of ${known.join(', ')}`
      context.addIssue({ code: 'custom', path: ['host'], message: choice })
    }
    const excessBytes = sizeBytes(command) - maxScriptBytes + reservedBytes
    if (excessBytes > 0) {
      const message = `command and environment are ${excessBytes} bytes too long for Run Command (64 KB in all): put them into a file`
      context.addIssue({ code: 'custom', path: ['command'], message })
    }
  })
}

function sizeBytes(command: Omit<TaskOptions, 'host'>): number {
  try {
    return scriptBytes(launchScript({ name: 'size', environment: {}, ...command }))
  } catch (error) {
    // What cannot be quoted has a problem of its own already.
    if (error instanceof InvalidInput) return 0
    throw error
  }
}

const handleSchema = z.strictObject({
  host: z.string(),
  instanceId: z.string(),
  name: z.string().regex(hostJobName),
  pid: z.int().nonnegative(),
  startTime: z.int().nonnegative(),
  bootId: z.string().regex(/^[0-9a-f-]+$/),
})

export type SshHandle = z.infer<typeof handleSchema>
