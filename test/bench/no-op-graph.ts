/** Batch tasks that end at once, side by side or one after the other. */
export function noOpGraph(count: number, shape: 'independent' | 'chain') {
  return {
    name: `${count} no-ops`,
    tasks: Array.from({ length: count }, (_, id) => ({
      name: `task-${id}`,
      executor: 'batch',
      options: { command: ['true'] },
      ...(shape === 'chain' && id > 0 && { needs: [id - 1] }),
    })),
  }
}
