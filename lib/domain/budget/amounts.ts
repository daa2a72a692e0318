/** What was spent, in US dollars, and how many jobs are not in it since nobody knows their price. */
export interface Amount {
  readonly usd: number
  readonly unknownJobs: number
}

/** By executor. */
export type Amounts = Readonly<Record<string, Amount>>

export const nothingSpent: Amounts = {}

export function addAmounts(a: Amounts, b: Amounts): Amounts {
  const total: Record<string, Amount> = { ...a }
  for (const [executor, { usd, unknownJobs }] of Object.entries(b)) {
    const before = total[executor] ?? { usd: 0, unknownJobs: 0 }
    total[executor] = { usd: before.usd + usd, unknownJobs: before.unknownJobs + unknownJobs }
  }
  return total
}

/** Over all executors. */
export function totalOf(amounts: Amounts): Amount {
  const all = Object.values(amounts)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  return { usd: sum(all.map(({ usd }) => usd)), unknownJobs: sum(all.map(({ unknownJobs }) => unknownJobs)) }
}
