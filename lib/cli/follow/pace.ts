import { setTimeout as sleep } from 'node:timers/promises'

const quickPolls = 10

/** Wait before asking the server again: 0.3 s at first, since short things end soon, then a second. */
export async function pace(polls: number): Promise<void> {
  await sleep(polls < quickPolls ? 300 : 1000)
}
