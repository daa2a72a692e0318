import type { Task } from '../../lib/domain/graph/graph.ts'
import { packProblems } from '../../lib/domain/graph/packs.ts'
import type { GraphInput } from '../../lib/schema/graph-file.ts'
import type { Random } from './random.ts'

/**
 * A graph of `count` tasks whose needs point anywhere (but in no circle), over the given executors. Some tasks are
 * graphs themselves, `depth` deep.
 */
export function randomGraph(random: Random, count: number, executors: readonly string[], depth = 0): GraphInput {
  const order = Array.from({ length: count }, (_, n) => n)
  for (let at = count - 1; at > 0; at--) {
    const other = random.below(at + 1)
    ;[order[at], order[other]] = [order[other] as number, order[at] as number]
  }
  const density = random.pick([0, 0.5, 1.5, 3])
  const hasPost = count > 1 && random.chance(0.3)
  const post = order[count - 1] as number
  const tasks = Array.from({ length: count }, (_, id) => {
    const place = order.indexOf(id)
    const needs = new Set<number>()
    for (let n = 0; n < density && place > 0; n++)
      if (random.chance(0.7)) needs.add(order[random.below(place)] as number)
    return {
      name: `task-${id}`,
      needs: [...needs],
      ...(depth > 0 && random.chance(0.15)
        ? { executor: 'sublattice', options: { graph: randomGraph(random, 1 + random.below(4), executors, depth - 1) } }
        : { executor: random.pick(executors) }),
      ...(hasPost && id === post && { postProcess: true }),
      ...(random.chance(0.3) && { retry: { attempts: 1 + random.below(3) } }),
    }
  })
  if (random.chance(0.4)) packSome(random, tasks)
  return { name: 'random', tasks } as GraphInput
}

/** Make packs of some of the tasks, unless that would make one wait for itself. */
function packSome(random: Random, tasks: { executor: string; pack?: string; postProcess?: boolean }[]): void {
  for (const task of tasks)
    if (task.executor !== 'sublattice' && !task.postProcess && random.chance(0.5))
      task.pack = `${task.executor}-${random.pick(['p', 'q'])}`
  const asTasks = tasks.map((task, id) => ({ ...task, id })) as unknown as Task[]
  if (packProblems(asTasks).length > 0) for (const task of tasks) delete task.pack
}
