/**
 * The tasks in an order in which every task comes after what it needs (Kahn). Tasks on a cycle, or behind one, are
 * left out: the result is shorter than `needs` exactly when there is a cycle.
 */
export function topologicalOrder(needs: readonly (readonly number[])[]): readonly number[] {
  const missing = needs.map((ids) => new Set(ids).size)
  const dependants: number[][] = needs.map(() => [])
  needs.forEach((ids, task) => {
    for (const id of new Set(ids)) dependants[id]?.push(task)
  })
  const order = needs.map((_, task) => task).filter((task) => missing[task] === 0)
  for (const task of order) {
    for (const dependant of dependants[task] as readonly number[]) {
      const left = (missing[dependant] as number) - 1
      missing[dependant] = left
      if (left === 0) order.push(dependant)
    }
  }
  return order
}

/**
 * At least one cycle for every knot of tasks that wait for each other, none of them sharing a task, each as a path
 * that ends where it begins: `[2, 5, 2]` says that 2 needs 5 and 5 needs 2. Empty when there is none.
 */
export function findCycles(needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const cycles: number[][] = []
  const path: number[] = []
  const placeOf = new Map<number, number>()
  // On a cycle that was found, or on no other: a walk does not come back here.
  const done = new Set<number>()
  const untried = needs.map((ids) => ids.values())
  const enter = (task: number) => placeOf.set(task, path.push(task) - 1)
  const leave = (place: number) => {
    const left = path.splice(place)
    for (const task of left) done.add(task)
    return left
  }
  for (const start of needs.keys()) {
    if (!done.has(start)) enter(start)
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const next: number | undefined = untried[at]?.next().value
      if (next === undefined) leave(path.length - 1)
      else if (done.has(next)) continue
      else if (placeOf.has(next)) cycles.push([...leave(placeOf.get(next) as number), next])
      else enter(next)
    }
  }
  return cycles
}
