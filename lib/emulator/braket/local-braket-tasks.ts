import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CancelQuantumTaskCommandInput,
  ConflictException,
  type CreateQuantumTaskCommandInput,
  type GetQuantumTaskCommandInput,
  type SearchQuantumTasksCommandInput,
} from '@aws-sdk/client-braket'
import { type Journal, readJournal, startJournal } from '../batch/local-batch-journal.ts'
import { translateProgram } from '../simulator/braket-dialect.ts'
import { createSimulators, type RunningSimulation } from '../simulator/braket-simulator.ts'
import { ProgramError } from '../simulator/braket-statements.ts'
import { checkCreateQuantumTask, checkSearch, readAction } from './local-braket-limits.ts'
import {
  type BraketEvent,
  describeTask,
  isEnded,
  type LocalTask,
  outputDirectory,
  pageOf,
  passes,
  resourceOf,
  summariseTask,
  taskArn,
  taskEvent,
} from './local-braket-records.ts'
import { bucketFolder, taskResult, writeTaskResult } from './local-braket-results.ts'

interface LocalTasksOptions {
  readonly directory: string
  readonly queueSeconds: (deviceArn: string) => number
  /** Circuits that are simulated at the same time. */
  readonly concurrency: number
  readonly tell: (event: BraketEvent) => void
  readonly now: () => number
}

type TaskPatch = Pick<LocalTask, 'jobId'> & Partial<LocalTask>

/** Tasks are forgotten a week after their end. */
const retentionMs = 7 * 24 * 3600 * 1000
const searchFilters = ['quantumTaskArn', 'deviceArn', 'jobArn', 'status', 'createdAt']

/**
 * The quantum tasks of the local Braket.
 *
 * Life of a task: journalled, then answered; QUEUED until its queue time is over and a thread is free, first come first
 * served; RUNNING while the thread simulates; its results are written before it is COMPLETED. A cancel ends a queued
 * task at once and a running one with its thread. A server that dies while a task runs runs it again at its next start:
 * a simulation has no effect but its results.
 */
export function createLocalTasks({ directory, queueSeconds, concurrency, tell, now }: LocalTasksOptions) {
  const simulators = createSimulators({ keep: concurrency })
  const tasks = new Map<string, LocalTask>()
  const byToken = new Map<string, LocalTask>()
  /** Past their queue time, oldest first. */
  const ready = new Set<LocalTask>()
  const timers = new Map<LocalTask, NodeJS.Timeout>()
  const running = new Map<LocalTask, RunningSimulation>()
  let journal: Journal<TaskPatch> | undefined

  const save = (task: LocalTask, patch: Partial<LocalTask>): Promise<void> => {
    Object.assign(task, patch)
    return journal?.append({ jobId: task.jobId, ...patch }) ?? Promise.resolve()
  }
  /** A change that the next start finds out by itself: it may be written a little later. */
  const note = (task: LocalTask, patch: Partial<LocalTask>) => {
    Object.assign(task, patch)
    journal?.appendLater({ jobId: task.jobId, ...patch })
    tell(taskEvent(task, now()))
  }

  const keep = (task: LocalTask) => {
    tasks.set(task.jobId, task)
    byToken.set(task.input.clientToken ?? '', task)
  }

  const enqueue = (task: LocalTask) => {
    note(task, { status: 'QUEUED' })
    const dueAt = task.createdAt + 1000 * queueSeconds(task.input.deviceArn ?? '')
    const arrive = () => {
      timers.delete(task)
      ready.add(task)
      schedule()
    }
    // A timer takes 24 days at most; whoever queues longer has been forgotten.
    timers.set(task, setTimeout(arrive, Math.min(Math.max(0, dueAt - now()), 2 ** 31 - 1)))
  }

  const schedule = () => {
    for (const task of ready) {
      if (running.size >= concurrency || !journal) return
      ready.delete(task)
      void run(task)
    }
  }

  const run = async (task: LocalTask) => {
    note(task, { status: 'RUNNING', startedAt: now() })
    await simulate(task)
    running.delete(task)
    schedule()
  }

  const simulate = async (task: LocalTask) => {
    const action = readAction(task.input.action)
    if (!action) return finish(task, { status: 'FAILED', failureReason: 'the action is no OpenQASM program' })
    try {
      const translation = translateProgram(action.source, action.inputs ?? {})
      const seed = task.input.tags?.['quench:seed']
      const simulation = simulators.run(
        { program: translation.program, shots: task.input.shots ?? 0, qubits: translation.measuredQubits.length },
        seed === undefined ? undefined : Number(seed),
      )
      running.set(task, simulation)
      const end = await simulation.end
      if (!end) return finish(task, { status: 'CANCELLED' })
      if ('failure' in end) return finish(task, { status: 'FAILED', failureReason: end.failure })
      await writeTaskResult(directory, task, taskResult(task, action, translation, end.bits))
      finish(task, { status: 'COMPLETED' })
    } catch (error) {
      const { message } = error as Error
      const failureReason = error instanceof ProgramError ? message : `the results cannot be written: ${message}`
      finish(task, { status: 'FAILED', failureReason })
    }
  }

  /** Closing, a task stays as it is: the next start runs it again. */
  const finish = (task: LocalTask, end: Pick<LocalTask, 'status'> & Partial<LocalTask>) => {
    if (journal) note(task, { ...end, endedAt: Math.max(now(), task.startedAt ?? 0) })
  }

  const forget = ({ input, ...task }: LocalTask) =>
    rm(join(bucketFolder(directory, input.outputS3Bucket ?? ''), outputDirectory({ input, ...task })), {
      recursive: true,
      force: true,
    })

  const isForgotten = (task: LocalTask) => isEnded(task) && now() - (task.endedAt ?? 0) > retentionMs

  return {
    create: async (input: CreateQuantumTaskCommandInput) => {
      checkCreateQuantumTask(input)
      const before = byToken.get(input.clientToken ?? '')
      if (before) return { quantumTaskArn: taskArn(before) }
      const task: LocalTask = { jobId: randomUUID(), createdAt: now(), input, status: 'CREATED' }
      keep(task)
      await save(task, task)
      tell(taskEvent(task, now()))
      if (task.status === 'CREATED' && journal) enqueue(task)
      return { quantumTaskArn: taskArn(task) }
    },

    get: ({ quantumTaskArn }: GetQuantumTaskCommandInput) => describeTask(resourceOf(tasks, quantumTaskArn)),

    search: ({ filters, maxResults = 100, nextToken }: SearchQuantumTasksCommandInput) => {
      checkSearch(filters, maxResults, searchFilters)
      const found = [...tasks.values()].filter((task) =>
        passes(
          {
            quantumTaskArn: taskArn(task),
            deviceArn: task.input.deviceArn,
            status: task.status,
            createdAt: new Date(task.createdAt).toISOString(),
          },
          filters,
        ),
      )
      const { page, ...more } = pageOf(found, { maxResults, nextToken })
      return { quantumTasks: page.map(summariseTask), ...more }
    },

    cancel: async ({ quantumTaskArn }: CancelQuantumTaskCommandInput) => {
      const task = resourceOf(tasks, quantumTaskArn)
      const answer = { quantumTaskArn: taskArn(task) }
      if (isEnded(task)) {
        const message = `Cannot cancel quantum task ${quantumTaskArn} in state ${task.status}`
        throw new ConflictException({ message, $metadata: { httpStatusCode: 409 } })
      }
      if (task.status === 'CANCELLING') return { ...answer, cancellationStatus: 'CANCELLING' }
      const simulation = running.get(task)
      if (!simulation) {
        clearTimeout(timers.get(task))
        timers.delete(task)
        ready.delete(task)
        await save(task, { status: 'CANCELLED', endedAt: now() })
        tell(taskEvent(task, now()))
        return { ...answer, cancellationStatus: 'CANCELLED' }
      }
      const saved = save(task, { status: 'CANCELLING' })
      tell(taskEvent(task, now()))
      await saved
      void simulation.stop()
      return { ...answer, cancellationStatus: 'CANCELLING' }
    },

    countRunning: simulators.countRunning,

    start: async () => {
      const file = join(directory, 'quantum-tasks.jsonl')
      const recorded = [...(await readJournal<LocalTask>(file)).values()].filter(({ input }) => input !== undefined)
      await Promise.all(recorded.filter(isForgotten).map(forget))
      const kept = recorded.filter((task) => !isForgotten(task))
      journal = await startJournal<TaskPatch>(file, kept)
      for (const task of kept) {
        keep(task)
        if (isEnded(task)) continue
        if (task.status === 'CANCELLING') finish(task, { status: 'CANCELLED' })
        else enqueue(task)
      }
    },

    close: async () => {
      const closing = journal
      journal = undefined
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
      ready.clear()
      await simulators.close()
      await closing?.close()
    },
  }
}
