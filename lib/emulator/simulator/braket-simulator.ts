import { Worker } from 'node:worker_threads'

export interface Simulation {
  /** Plain OpenQASM 3 whose output is one register of `qubits` bits. */
  readonly program: string
  readonly shots: number
  readonly qubits: number
}

/** The bits of all shots, one after the other, or why there are none. */
export type SimulationEnd = { readonly bits: Uint8Array } | { readonly failure: string }

export interface RunningSimulation {
  /** Undefined when it was stopped. Never rejects. */
  readonly end: Promise<SimulationEnd | undefined>
  /** The thread is gone when this resolves; where the end was there before, nothing happens. */
  stop(): Promise<void>
}

export interface Simulators {
  /** The same seed gives the same bits. */
  run(simulation: Simulation, seed?: number): RunningSimulation
  /** Threads that simulate right now. */
  countRunning(): number
  close(): Promise<void>
}

/**
 * Threads that simulate circuits: the simulator is one long computation, and only the end of its thread ends it.
 *
 * A thread needs half a second to load the simulator, so `keep` of them wait for the next circuit. A seed is sown
 * before a thread's first run, so a seeded simulation gets a thread of its own.
 */
export function createSimulators({ keep }: { readonly keep: number }): Simulators {
  const idle: Worker[] = []
  const running = new Set<RunningSimulation>()

  const start = (seed?: number) =>
    new Worker(new URL('./braket-simulator-worker.ts', import.meta.url), { execArgv: [], workerData: { seed } })

  const run = (simulation: Simulation, seed?: number): RunningSimulation => {
    const worker = (seed === undefined ? idle.pop() : undefined) ?? start(seed)
    worker.ref()
    const { promise: end, resolve } = Promise.withResolvers<SimulationEnd | undefined>()
    let isOver = false
    const finish = (outcome: SimulationEnd | undefined) => {
      isOver = true
      running.delete(simulating)
      worker.off('message', answered).off('error', died).off('exit', gone)
      resolve(outcome)
    }
    const simulating: RunningSimulation = {
      end,
      stop: async () => {
        if (isOver) return
        finish(undefined)
        await worker.terminate()
      },
    }
    const answered = async (outcome: SimulationEnd) => {
      finish(outcome)
      if (seed !== undefined || idle.length >= keep) return void (await worker.terminate())
      worker.unref()
      idle.push(worker)
    }
    // Out of memory, mostly: thirty qubits in full superposition.
    const died = ({ message }: Error) => finish({ failure: `the simulator died: ${message}` })
    const gone = () => finish({ failure: 'the simulator died' })
    running.add(simulating)
    worker.on('message', answered).on('error', died).on('exit', gone)
    worker.postMessage(simulation)
    return simulating
  }

  return {
    run,
    countRunning: () => running.size,
    close: async () => {
      await Promise.all(Array.from(running, (one) => one.stop()))
      await Promise.all(idle.splice(0).map((worker) => worker.terminate()))
    },
  }
}
