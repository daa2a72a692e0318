import type { Executor, ExecutorFacts } from './executor.ts'

/** The verbs that not every executor has. */
type OptionalVerb = 'forestall' | 'readLog' | 'listJobs'

/**
 * An executor whose code, and SDK client with it, is loaded when the first of its verbs is called.
 *
 * Shape: `verbs` names the optional ones that it has; what it has not must be absent here as well.
 */
export function loadLater(
  facts: ExecutorFacts,
  verbs: readonly OptionalVerb[],
  load: () => Promise<Executor>,
): Executor {
  let loading: Promise<Executor> | undefined
  const executor = () => {
    loading ??= load()
    return loading
  }
  const has = (verb: OptionalVerb) => verbs.includes(verb)
  const { packing, ...alone } = facts
  return {
    ...alone,
    submit: async (job, deadline) => (await executor()).submit(job, deadline),
    // Loading is slow too.
    prepare: async (job, deadline) => {
      const loaded = await executor()
      return loaded.prepare ? loaded.prepare(job, deadline) : () => loaded.submit(job, deadline)
    },
    find: async (jobs, deadline) => (await executor()).find(jobs, deadline),
    poll: async (handles, deadline) => (await executor()).poll(handles, deadline),
    cancel: async (handles, request, deadline) => (await executor()).cancel(handles, request, deadline),
    ...(packing && {
      packing: {
        ...packing,
        submit: async (jobs, name, deadline) => packingOf(await executor()).submit(jobs, name, deadline),
        find: async (jobs, name, deadline) => packingOf(await executor()).find(jobs, name, deadline),
      },
    }),
    ...(has('forestall') && {
      forestall: async (job, deadline) => (await executor()).forestall?.(job, deadline) ?? lacks('forestall'),
    }),
    ...(has('readLog') && {
      readLog: async (handle, place, deadline) =>
        (await executor()).readLog?.(handle, place, deadline) ?? lacks('readLog'),
    }),
    ...(has('listJobs') && {
      listJobs: async (deadline) => (await executor()).listJobs?.(deadline) ?? lacks('listJobs'),
    }),
  }
}

const packingOf = ({ packing }: Executor) => packing ?? lacks('packing')

function lacks(verb: string): never {
  throw new Error(`the executor has no ${verb}, though it was said to have one`)
}
