import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { act } from '../../../lib/app/act/act.ts'
import { cancelDispatch } from '../../../lib/app/cancel/cancel-dispatch.ts'
import type { Context } from '../../../lib/app/context.ts'
import { redriveDispatch } from '../../../lib/app/redrive/redrive-dispatch.ts'
import { runTurn } from '../../../lib/app/run-turn.ts'
import { stableId } from '../../../lib/app/stable-id.ts'
import { createChildDispatches } from '../../../lib/app/submit/child-dispatches.ts'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { createSublatticeExecutor } from '../../../lib/back-ends/sublattice/executor.ts'
import type { Action } from '../../../lib/domain/turn/action.ts'
import { defaultPolicy, type Policy } from '../../../lib/domain/turn/policy.ts'
import { cancelRequest, redriveRequest } from '../../../lib/schema/api.ts'
import type { GraphInput } from '../../../lib/schema/graph-file.ts'
import { createDynamoStore } from '../../../lib/store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../../../lib/store/dynamo/dynamo-bulks.ts'
import type { Store } from '../../../lib/store/store.ts'
import { kinds, pretendExecutor } from './pretend-jobs.ts'
import type { Stage } from './script.ts'
import { isHistory, type TableCommand } from './table.ts'

/** What one process does. Equal roles begun at the same time are told apart by `by`. */
export type Role = { readonly by?: string; readonly dispatchId: string } & (
  | { readonly is: 'submitter'; readonly graph: GraphInput }
  /** Takes a turn; the actions that come of it are processes of their own, unless it is to be alone. */
  | { readonly is: 'turn'; readonly epoch: number; readonly isAlone?: true }
  | { readonly is: 'act'; readonly action: Action }
  | { readonly is: 'canceller'; readonly taskIds?: readonly number[]; readonly mode?: 'graceful' | 'force' }
  | { readonly is: 'redriver'; readonly force?: boolean }
)

/** How a test breaks the code: it gets the store of a process. */
export type Breaks = (store: Store) => Store

export const policy: Policy = {
  ...defaultPolicy,
  pollSeconds: 10,
  cancelPollSeconds: 5,
  leaseSeconds: 30,
  recoverSeconds: 10,
  settleSeconds: 10,
  submitsPerTurn: 20,
  actSeconds: { pack: 20, submit: 20, recover: 20, poll: 20, cancel: 20 },
  chunks: {
    ...Object.fromEntries(kinds.map(({ name, packs }) => [name, { submit: 3, poll: 5, cancel: 4, packs }])),
    sublattice: { submit: 2, poll: 3, cancel: 2 },
  },
  // A dollar a job that is not cancelled, so that spend counts jobs.
  priceOf: () => ({ perSecondUsd: 0, minimumSeconds: 0, commitUsd: 1 }),
}

const caller = { id: 'tester', isAdmin: false }

/** The dispatch that a submitter's graph becomes: it asks with this key. */
const submitKey = 'once'

/** Do what the role says, with the real use cases over the real adapter of the table. */
export function play(role: Role, breaks?: Breaks): (stage: Stage) => Promise<unknown> {
  return async (stage) => {
    const context = contextOf(stage, JSON.stringify(role), breaks)
    const { dispatchId } = role
    switch (role.is) {
      case 'submitter':
        return submitDispatch(context, caller, role.graph, submitKey)
      case 'turn':
        return runTurn(context, dispatchId, role.epoch)
      case 'act':
        return act(context, dispatchId, role.action)
      case 'canceller': {
        const { taskIds, mode = 'graceful' } = role
        const order = cancelRequest.parse({ ...(taskIds && { taskIds }), mode, graceSeconds: 5 })
        return cancelDispatch(context, caller, dispatchId, order, { source: 'api', idempotencyKey: keyOf(role) })
      }
      case 'redriver': {
        const order = redriveRequest.parse({ force: role.force ?? false })
        return redriveDispatch(context, caller, dispatchId, order, keyOf(role))
      }
    }
  }
}

/** Two that ask with the same key are the same request. */
const keyOf = ({ by = 'the key' }: Role) => by.split(' ')[0] as string

function contextOf(stage: Stage, salt: string, breaks: Breaks = (store) => store): Context {
  const send = (command: { readonly input: TableCommand['input'] }) =>
    stage.ask({ of: 'table', command: withoutTail(command.constructor.name.replace('Command', ''), command.input) })
  const client = { send } as unknown as Pick<DynamoDBDocumentClient, 'send'>
  const executors = new Map<string, Executor>(
    kinds.map((kind) => [
      kind.name,
      pretendExecutor(kind, (call, deadline) => stage.ask({ of: 'jobs', call, deadlineAt: deadline?.at })),
    ]),
  )
  const loops = (verb: string) => async (id: string, epoch?: number) => {
    await stage.ask({ of: 'loops', verb: `${verb} ${id} ${epoch ?? ''}` })
  }
  let ids = 0
  const context: Context = {
    store: breaks(createDynamoStore(client, 'quench')),
    bulks: createDynamoBulks(client, 'quench'),
    bulkRunner: { enqueue: async () => {} },
    executors,
    executions: { start: loops('start'), stop: loops('stop'), wake: loops('wake') },
    policy,
    now: stage.now,
    deadlineAt: (at) => ({ at, signal: new AbortController().signal }),
    sleep: async (seconds) => {
      await stage.ask({ of: 'sleep', until: stage.now() + seconds * 1000 })
    },
    newId: () => stableId('exhaustive', salt, String(stage.now()), String(ids++)),
    resultUri: (dispatchId, taskId, attempt) => `file:///results/${dispatchId}/${taskId}/${attempt}`,
    readResult: async () => undefined,
    writeText: async () => {},
    concurrency: 1,
    log: () => {},
  }
  const children = createChildDispatches(() => context)
  executors.set('sublattice', createSublatticeExecutor({ children, readText: async () => '' }))
  return context
}

/** The keys of the history have tails by chance, and a process that is run again must ask for the same. */
function withoutTail(kind: string, input: TableCommand['input']): TableCommand {
  return isHistory({ kind, input })
    ? { kind, input: { ...input, Item: { ...input.Item, sk: 'EVENT#' } } }
    : { kind, input }
}
