/** A fault to inject into the emulator's answer to one command: before its effect, or after (the answer is lost). */
export interface Fault {
  /** Name of the SDK command without `Command`: `SubmitJob`. */
  readonly command: string
  readonly when: 'before' | 'after'
  readonly error: Error
  /** How many calls it hits. Default 1. */
  readonly times?: number
}

/** Counts the calls that reach the emulator, and fails those that a test wants to fail. */
export interface Faults {
  inject(fault: Fault): void
  around<Answer>(command: string, effect: () => Answer | Promise<Answer>): Promise<Answer>
  /** Calls so far, by command. */
  readonly calls: ReadonlyMap<string, number>
}

export function createFaults(): Faults {
  const pending: (Fault & { left: number })[] = []
  const calls = new Map<string, number>()

  const strike = (command: string, when: Fault['when']) => {
    const fault = pending.find((one) => one.command === command && one.when === when && one.left > 0)
    if (!fault) return
    fault.left -= 1
    throw fault.error
  }

  return {
    calls,
    inject: (fault) => {
      pending.push({ ...fault, left: fault.times ?? 1 })
    },
    around: async (command, effect) => {
      calls.set(command, (calls.get(command) ?? 0) + 1)
      strike(command, 'before')
      const answer = await effect()
      strike(command, 'after')
      return answer
    },
  }
}
