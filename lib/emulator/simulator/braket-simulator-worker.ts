import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { getCompiler, loadWasmModule, QscEventTarget } from 'qsharp-lang'
import type { Simulation, SimulationEnd } from './braket-simulator.ts'

/** An error of the compiler or of the simulated program; lines count from 0. */
interface CompilerError {
  readonly errors?: readonly {
    readonly diagnostic: { readonly message: string; readonly range: { readonly start: { readonly line: number } } }
  }[]
  readonly message?: string
}

const { seed } = workerData as { readonly seed?: number }
if (seed !== undefined) seedRandomness(seed)

const compiler = prepare()

parentPort?.on('message', async (simulation: Simulation) => {
  const end = await simulate(simulation)
  parentPort?.postMessage(end)
})

async function prepare() {
  const wasm = new URL('../lib/web/qsc_wasm_bg.wasm', import.meta.resolve('qsharp-lang'))
  await loadWasmModule(Uint8Array.from(readFileSync(wasm)).buffer)
  return getCompiler()
}

async function simulate({ program, shots, qubits }: Simulation): Promise<SimulationEnd> {
  const bits = new Uint8Array(shots * qubits)
  let shot = 0
  let failure: string | undefined
  const events = new QscEventTarget(false)
  events.addEventListener('Result', ({ detail: result }) => {
    if (!result.success) failure ??= describe(result.value)
    else
      for (const [column, word] of result.value.slice(1, -1).split(', ').entries()) {
        if (word === 'One') bits[shot * qubits + column] = 1
      }
    shot += 1
  })
  try {
    await (await compiler).run(
      { sources: [['program.qasm', program]], languageFeatures: [], profile: 'unrestricted', projectType: 'openqasm' },
      '',
      shots,
      events,
    )
  } catch (error) {
    failure ??= describe(error as CompilerError)
  }
  return failure === undefined ? { bits } : { failure }
}

/** `line 3: undefined symbol: foo`, and what else is wrong. */
function describe({ errors = [], message = 'the simulator failed' }: CompilerError): string {
  const problems = errors.map(({ diagnostic }) => `line ${diagnostic.range.start.line + 1}: ${diagnostic.message}`)
  return problems.length > 0 ? problems.slice(0, 5).join('; ') : message
}

/**
 * The simulator takes its randomness from here, once when it first needs some. So a thread that was seeded before its
 * first run gives the same shots every time. Mulberry32, which is random enough to sample from.
 */
function seedRandomness(seed: number): void {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) & 0xff
  }
  globalThis.crypto.getRandomValues = <View extends ArrayBufferView | null>(view: View): View => {
    if (view)
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).forEach((_, at, bytes) => {
        bytes[at] = next()
      })
    return view
  }
}
