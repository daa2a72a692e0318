import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { expect } from 'vitest'
import { act } from '../../lib/app/act/act.ts'
import { createUnderWay } from '../../lib/app/act/under-way.ts'
import type { Context } from '../../lib/app/context.ts'
import { runTurn } from '../../lib/app/run-turn.ts'
import { stableId } from '../../lib/app/stable-id.ts'
import { createChildDispatches } from '../../lib/app/submit/child-dispatches.ts'
import type { Executor, JobSpec } from '../../lib/back-ends/executor.ts'
import { createSublatticeExecutor } from '../../lib/back-ends/sublattice/executor.ts'
import { covers } from '../../lib/domain/cancel/cancel-scope.ts'
import type { Dispatch, ReopenedCounts } from '../../lib/domain/dispatch.ts'
import type { Graph } from '../../lib/domain/graph/graph.ts'
import { outcomeOf } from '../../lib/domain/settled.ts'
import type { Outcome } from '../../lib/domain/task-run.ts'
import type { Action } from '../../lib/domain/turn/action.ts'
import { planTurn } from '../../lib/domain/turn/plan-turn.ts'
import type { Policy } from '../../lib/domain/turn/policy.ts'
import { createDynamoStore } from '../../lib/store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../../lib/store/dynamo/dynamo-bulks.ts'
import type { Store } from '../../lib/store/store.ts'
import { createFakeBackend, type FakeBackend, type FakeJob, isOver, type Weather } from './fake-backend.ts'
import { Crash, Gates, type Host, type Strand } from './gates.ts'
import { createLenientApi, type LenientApi } from './lenient-api.ts'
import type { Random } from './random.ts'

/** What a refused verb of the loops throws. */
class Throttled extends Error {}

/** The back ends, told apart by what they can promise. */
const kinds = [
  { name: 'batch', packs: true, adopts: false, forestalls: false },
  { name: 'braket', packs: false, adopts: true, forestalls: false },
  { name: 'ssh', packs: true, adopts: true, forestalls: true },
  { name: 'slurm', packs: true, adopts: true, forestalls: true },
]
export const executorNames = kinds.map(({ name }) => name)

export const policy: Policy = {
  pollSeconds: 10,
  cancelPollSeconds: 3,
  leaseSeconds: 120,
  recoverSeconds: 10,
  settleSeconds: 10,
  confirmSeconds: 300,
  awaySeconds: 300,
  submitsPerTurn: 20,
  actSeconds: { pack: 100, submit: 100, recover: 30, poll: 20, cancel: 30 },
  chunks: {
    ...Object.fromEntries(kinds.map(({ name, packs }) => [name, { submit: 3, poll: 5, cancel: 4, packs }])),
    sublattice: { submit: 2, poll: 3, cancel: 2 },
  },
  // A dollar a job that is not cancelled before it runs, so that spend counts jobs; nobody knows the price of Slurm's.
  priceOf: ({ executor }) => (executor === 'slurm' ? undefined : { perSecondUsd: 0, minimumSeconds: 0, commitUsd: 1 }),
}

/** Longer than any dispatch of the tests. */
const foreverMs = 10 * 24 * 3_600_000

export const caller = { id: 'tester', isAdmin: false }

export interface Faults {
  readonly crashProbability: number
  readonly backendProbability: number
  /** How often the SDK sends a write a second time because the first answer was lost. */
  readonly resendProbability: number
}

interface Loop {
  readonly dispatchId: string
  readonly epoch: number
  readonly host: Host
  woken: boolean
  stopped: boolean
}

/** What the checks know of a dispatch. */
interface Tracked {
  readonly graph: Graph
  readonly made: Dispatch
  /** What META says of the tasks that are settled. */
  readonly settled: Map<number, Outcome>
  /** By cancellation id: what a fence covers, when it was written, and when a redrive took it away. */
  readonly fences: Map<string, { scope: Uint8Array | 'all'; written: number; lifted?: number }>
  redrives: number
  ended?: Dispatch | undefined
}

/**
 * A whole Quench with pretended processes: the real store, planner and use cases, back ends without a body, a clock
 * that the test turns, and a crash wherever the dice say. It checks the promises at every step.
 */
export class World {
  readonly gates = new Gates(1_700_000_000_000)
  readonly backends: readonly FakeBackend[]
  /** Reads for the checks, past the gates. */
  readonly store: Store
  readonly random: Random
  /** A test may change them. */
  faults: Faults
  /** Tasks of the submitted dispatch whose jobs can only fail. */
  doomed: ReadonlySet<number> = new Set()
  /** Calls that are answered take no time; only what hangs or rests does. */
  isPrompt = false
  /** When the back end of a job has first heard that it is to stop. */
  readonly killedAt = new Map<string, number>()
  /** Jobs do what they can only do: succeed, or fail where they are doomed. */
  isCalm = false
  private readonly client: Pick<DynamoDBDocumentClient, 'send'>
  private readonly tableName: string
  private readonly loops = new Map<string, Loop>()
  private readonly stragglers: { dispatchId: string; action: Action }[] = []
  /** Every dispatch that was ever made: the one that the test submits, and the children of its sublattices. */
  readonly dispatches = new Map<string, Tracked>()
  /** The jobs whose handles were stored: an attempt stands for each. */
  readonly kept = new Set<string>()
  private ids = 0
  /** Makes the ids of this run its own. */
  readonly salt: string
  private readonly isQuiet: boolean
  dispatchId = ''
  failures: unknown[] = []

  constructor(options: {
    client: Pick<DynamoDBDocumentClient, 'send'>
    tableName: string
    random: Random
    faults: Faults
    salt: string
    /** Jobs go on only when the test says so. */
    isQuiet?: boolean
  }) {
    this.random = options.random
    this.faults = options.faults
    this.client = options.client
    this.tableName = options.tableName
    this.salt = options.salt
    this.isQuiet = options.isQuiet ?? false
    this.store = createDynamoStore(options.client, options.tableName)
    this.backends = kinds.map((kind) =>
      createFakeBackend({
        ...kind,
        random: this.random,
        faultProbability: () => this.faults.backendProbability,
        isDoomed: (job) => job.dispatchId === this.dispatchId && this.doomed.has(job.taskId),
        isCalm: () => this.isCalm,
        pass: (label, effect) => this.gates.pass(label, effect),
        weather: () => this.weatherOf(kind.name),
        rest: (until = this.gates.now + foreverMs) => this.gates.rest(until, () => false),
        now: () => this.gates.now,
        onSubmit: (job) => this.checkSubmit(job),
        onCancel: (job) => this.checkCancel(job),
      }),
    )
  }

  /** What is not said here is fine. */
  weather: Readonly<Record<string, { readonly kind: Weather; readonly until?: number }>> = {}

  /** Verbs of the loops that are throttled. */
  refusedVerbs: ReadonlySet<string> = new Set()

  private refuse(verb: string): void {
    if (this.refusedVerbs.has(verb)) throw new Throttled(`${verb} is throttled`)
  }

  private weatherOf(name: string): Weather {
    const { kind, until = Number.POSITIVE_INFINITY } = this.weather[name] ?? { kind: 'fine' }
    return this.gates.now < until ? kind : 'fine'
  }

  get jobs(): readonly FakeJob[] {
    return this.backends.flatMap((backend) => backend.jobs)
  }

  newHost(name: string): Host {
    return { name, alive: true }
  }

  /** The use cases as one pretended process has them. */
  context(host: Host): Context {
    const client = { send: (command: object) => this.send(command) } as Pick<DynamoDBDocumentClient, 'send'>
    const children = createChildDispatches(() => context)
    const readText = async () => ''
    const executors = new Map<string, Executor>(this.backends.map((backend) => [backend.name, backend]))
    executors.set('sublattice', createSublatticeExecutor({ children, readText }))
    const context: Context = {
      store: createDynamoStore(client, this.tableName),
      bulks: createDynamoBulks(client, this.tableName),
      bulkRunner: { enqueue: async () => {} },
      executors,
      executions: {
        start: (id, epoch) =>
          this.gates.pass(`start ${epoch}`, async () => {
            this.refuse('start')
            this.startLoop(host, id, epoch)
          }),
        stop: (id, epoch) =>
          this.gates.pass(`stop ${epoch}`, async () => {
            const loop = this.loops.get(`${id}#${epoch}`)
            if (loop) loop.stopped = true
          }),
        wake: (id) =>
          this.gates.pass('wake', async () => {
            this.refuse('wake')
            for (const loop of this.loops.values()) if (loop.dispatchId === id) loop.woken = true
          }),
      },
      policy,
      now: () => this.gates.now,
      sleep: (seconds) => this.gates.rest(this.gates.now + seconds * 1000, () => false),
      deadlineAt: (at) => this.gates.deadlineAt(at),
      newId: () => stableId(this.salt, String(this.ids++)),
      resultUri: (dispatchId, taskId, attempt) => `file:///results/${dispatchId}/${taskId}/${attempt}`,
      readResult: async () => undefined,
      writeText: async () => {},
      concurrency: 1,
      log: () => {},
    }
    return context
  }

  api(host: Host): LenientApi {
    return createLenientApi(this.context(host))
  }

  /** Run work of one process; a crash ends it silently, everything else is a failure of the test. */
  spawn(host: Host, work: () => Promise<unknown>): Promise<void> {
    const strand: Strand = { host, metaReads: new Map() }
    return this.gates.strands.run(strand, async () => {
      try {
        await work()
      } catch (error) {
        if (!(error instanceof Crash)) this.failures.push(error)
      }
    })
  }

  startLoop(host: Host, dispatchId: string, epoch: number): void {
    const key = `${dispatchId}#${epoch}`
    const known = this.loops.get(key)
    if (known?.host.alive && !known.stopped) return
    const loop: Loop = { dispatchId, epoch, host, woken: false, stopped: false }
    const underWay = createUnderWay()
    this.loops.set(key, loop)
    const context = this.context(host)
    const strand = <T>(work: () => Promise<T>) => this.gates.strands.run({ host, metaReads: new Map() }, work)
    this.spawn(host, async () => {
      while (!loop.stopped) {
        loop.woken = false
        const { finished, actions, waitSeconds } = await strand(() => runTurn(context, dispatchId, epoch)).catch(
          (error: unknown) => {
            if (!(error instanceof Throttled)) throw error
            // Taken again, as every loop does.
            return { finished: false, actions: [], waitSeconds: 1 }
          },
        )
        if (finished) break
        for (const one of this.disturb(dispatchId, actions)) {
          const action = underWay.begin(one.action)
          if (!action) continue
          // Nothing waits for it: the loop goes on, and a crash ends both.
          this.spawn(host, () =>
            act(context, one.dispatchId, action)
              .catch((error: unknown) => {
                if (!(error instanceof Throttled)) throw error
              })
              .finally(() => underWay.end(action)),
          ).catch((error) => this.failures.push(error))
        }
        await this.gates.rest(this.gates.now + waitSeconds * 1000, () => loop.woken)
      }
      loop.stopped = true
    }).catch((error) => this.failures.push(error))
  }

  /** A function may be invoked twice for one action, and a straggler may come when all has moved on. */
  private disturb(dispatchId: string, actions: readonly Action[]): { dispatchId: string; action: Action }[] {
    const invoked = actions.map((action) => ({ dispatchId, action }))
    if (this.isQuiet || invoked.length === 0) return invoked
    if (this.random.chance(0.1)) this.stragglers.push(this.random.pick(invoked))
    if (this.random.chance(0.2)) invoked.push(this.random.pick(invoked))
    if (this.random.chance(0.1)) invoked.push(...this.stragglers.splice(0, 1))
    return invoked
  }

  /** What a sweeper or a restart does: an open dispatch without a loop gets one. */
  async sweep(): Promise<void> {
    for (const [id, { ended }] of this.dispatches) {
      if (ended) continue
      const dispatch = await this.store.readDispatch(id)
      if (dispatch?.status !== 'running') continue
      const loop = this.loops.get(`${id}#${dispatch.epoch}`)
      if (loop?.host.alive && !loop.stopped) continue
      this.startLoop(this.newHost(`recovery-${this.gates.crashes}`), id, dispatch.epoch)
    }
  }

  /** One step of the world: a call goes through, a job goes on, or time passes. */
  async step(): Promise<void> {
    const { random, gates } = this
    if (!this.isQuiet && random.chance(0.25)) random.pick(this.backends).progress(random)
    if (!this.isQuiet && !this.isPrompt && random.chance(0.1) && gates.longestCall() < 20_000)
      gates.now += random.below(3000)
    if (await gates.step(random, this.faults.crashProbability)) {
      if (gates.crashes > 0 && random.chance(0.2)) await this.sweep()
    } else {
      if (!this.isQuiet && random.chance(0.8)) for (const backend of this.backends) backend.progress(random)
      if (this.isQuiet) for (const job of this.jobs) if (job.isAskedToStop && !isOver(job)) job.state = 'cancelled'
      gates.now = Math.max(gates.now, gates.nextRestEnds() ?? gates.now) + random.below(2000)
      await this.sweep()
    }
    const [failure] = this.failures
    if (failure) throw failure
  }

  private async send(command: object): Promise<unknown> {
    type Key = { pk?: string; sk?: string }
    const { input } = command as { input: { Key?: Key; Item?: Key } }
    const { pk = '', sk = '' } = input.Key ?? input.Item ?? {}
    const dispatchId = pk.slice('DISPATCH#'.length)
    const kind = command.constructor.name.replace('Command', '')
    const strand = this.gates.strands.getStore()
    return this.gates.pass(`${kind} ${sk}`, async () => {
      const send = () => this.client.send(command as never)
      // The SDK may send a write again when it has not seen the first answer.
      if (kind === 'Update' && this.random.chance(this.faults.resendProbability)) await send().catch(() => {})
      let answer: unknown
      try {
        answer = await send()
      } finally {
        if (kind !== 'Get' && sk === 'META') await this.checkMeta(dispatchId)
      }
      if (kind === 'Update' && sk.startsWith('TASK#')) this.noteHandle(command)
      if (kind === 'Get' && sk === 'META') strand?.metaReads.set(dispatchId, this.gates.sequence)
      return answer
    })
  }

  private noteHandle(command: object): void {
    const { input } = command as { input: { ExpressionAttributeValues?: Record<string, { id?: string } | undefined> } }
    for (const value of Object.values(input.ExpressionAttributeValues ?? {})) if (value?.id) this.kept.add(value.id)
  }

  /** Terminal states never change; a fence is known from the moment it is written; the end leaves nothing behind. */
  private async checkMeta(dispatchId: string): Promise<void> {
    const dispatch = await this.store.readDispatch(dispatchId)
    if (!dispatch) return
    const known = this.dispatches.get(dispatchId)
    const tracked: Tracked = known ?? {
      graph: await this.store.readGraph(dispatchId),
      made: dispatch,
      settled: new Map(),
      fences: new Map(),
      redrives: 0,
    }
    this.dispatches.set(dispatchId, tracked)
    if (dispatch.redrives !== undefined && dispatch.redrives > tracked.redrives) this.noteRedrive(dispatch, tracked)
    for (const { id, scope } of Object.values(dispatch.fences))
      if (!tracked.fences.has(id)) tracked.fences.set(id, { scope, written: this.gates.sequence })
    for (const task of tracked.graph.tasks) {
      const outcome = outcomeOf(dispatch, task.id)
      const before = tracked.settled.get(task.id)
      if (before) expect(outcome, `task ${task.id} was ${before}`).toBe(before)
      if (outcome) tracked.settled.set(task.id, outcome)
    }
    if (tracked.ended) expect(dispatch.status).toBe(tracked.ended.status)
    if (dispatch.status !== 'running') {
      tracked.ended = dispatch
      const left = this.jobs.filter((job) => job.dispatchId === dispatchId && !isOver(job))
      expect(left, 'no job is left when a dispatch has ended').toEqual([])
      for (const child of this.childrenOf(dispatchId)) expect(child.ended, 'no child is left either').toBeDefined()
    }
    if (this.random.chance(0.1)) {
      const snapshot = { dispatch, graph: tracked.graph, live: await this.store.readLive(dispatchId) }
      const plan = () => planTurn(snapshot, policy, this.gates.now)
      expect(plan(), 'planning is deterministic').toEqual(plan())
    }
  }

  /** A redrive opens exactly what it says, never what succeeded, and lifts every fence. */
  private noteRedrive(dispatch: Dispatch, tracked: Tracked): void {
    expect(dispatch.redrives, 'redriven once at a time').toBe(tracked.redrives + 1)
    const reopened: Record<keyof ReopenedCounts, number> = { failed: 0, cancelled: 0, skipped: 0 }
    for (const [id, outcome] of tracked.settled) {
      if (outcomeOf(dispatch, id) !== undefined) continue
      if (outcome === 'succeeded') throw new Error(`task ${id} has succeeded, and is redriven`)
      reopened[outcome] += 1
      tracked.settled.delete(id)
    }
    expect(reopened, 'what was reopened').toEqual(dispatch.reopened)
    for (const fence of tracked.fences.values()) fence.lifted ??= this.gates.sequence
    tracked.redrives += 1
    tracked.ended = undefined
  }

  childrenOf(dispatchId: string): readonly Tracked[] {
    return [...this.dispatches.values()].filter(({ made }) => made.parent?.dispatchId === dispatchId)
  }

  /** Whether a dispatch is one of the children of another, at any depth. */
  isInside(dispatchId: string, ancestorId: string): boolean {
    const parentId = this.dispatches.get(dispatchId)?.made.parent?.dispatchId
    return parentId !== undefined && (parentId === ancestorId || this.isInside(parentId, ancestorId))
  }

  /** The dispatch that the test has submitted. */
  get root(): Tracked | undefined {
    return this.dispatches.get(this.dispatchId)
  }

  /** Whether a task has really succeeded: a job of it, or the dispatch behind it. */
  hasSucceeded(dispatchId: string, taskId: number): boolean {
    const isJob = this.jobs.some(
      (job) => job.dispatchId === dispatchId && job.taskId === taskId && job.state === 'succeeded',
    )
    const children = this.childrenOf(dispatchId).filter(({ made }) => made.parent?.taskId === taskId)
    return isJob || children.some(({ ended }) => ended?.status === 'succeeded')
  }

  private checkSubmit(job: JobSpec): void {
    const tracked = this.dispatches.get(job.dispatchId)
    const task = tracked?.graph.tasks[job.taskId]
    for (const need of task?.needs ?? [])
      expect(this.hasSucceeded(job.dispatchId, need), `task ${job.taskId} starts after task ${need} succeeded`).toBe(
        true,
      )
    if (task?.postProcess)
      for (const other of tracked?.graph.tasks ?? [])
        if (other !== task) expect(tracked?.settled.get(other.id), 'post-processing is last').toBe('succeeded')
    const twins = this.jobs.filter(
      (other) =>
        other.dispatchId === job.dispatchId &&
        other.taskId === job.taskId &&
        (!isOver(other) || other.name === job.name),
    )
    expect(twins, `task ${job.taskId} runs once`).toEqual([])
    const seen = this.gates.strands.getStore()?.metaReads.get(job.dispatchId)
    expect(seen, 'a submit follows a look at the fence').toBeDefined()
    for (const [id, { scope, written, lifted = Number.POSITIVE_INFINITY }] of tracked?.fences ?? [])
      if (written < (seen ?? 0) && (seen ?? 0) < lifted)
        expect(covers(scope, job.taskId), `a submit behind fence ${id}`).toBe(false)
  }

  private checkCancel(job: FakeJob): void {
    if (!this.killedAt.has(job.id)) this.killedAt.set(job.id, this.gates.now)
    const fences = [...(this.dispatches.get(job.dispatchId)?.fences.values() ?? [])]
    const isInScope = fences.some(({ scope, lifted }) => lifted === undefined && covers(scope, job.taskId))
    const hasLimit = this.dispatches.get(job.dispatchId)?.graph.tasks[job.taskId]?.timeoutSeconds !== undefined
    expect(isInScope || isOver(job) || hasLimit, `task ${job.taskId} is stopped though no cancellation covers it`).toBe(
      true,
    )
  }
}
