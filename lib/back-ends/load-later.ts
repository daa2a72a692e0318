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
    submit: async (job) => (await executor()).submit(job),
    find: async (jobs, deadline) => (await executor()).find(jobs, deadline),
    poll: async (handles) => (await executor()).poll(handles),
    cancel: async (handles, request) => (await executor()).cancel(handles, request),
    ...(packing && {
      packing: {
        ...packing,
        submit: async (jobs, name) => packingOf(await executor()).submit(jobs, name),
        find: async (jobs, name) => packingOf(await executor()).find(jobs, name),
      },
    }),
    ...(has('forestall') && { forestall: async (job) => (await executor()).forestall?.(job) ?? lacks('forestall') }),
    ...(has('readLog') && {
      readLog: async (handle, place) => (await executor()).readLog?.(handle, place) ?? lacks('readLog'),
    }),
    ...(has('listJobs') && { listJobs: async () => (await executor()).listJobs?.() ?? lacks('listJobs') }),
  }
}

const packingOf = ({ packing }: Executor) => packing ?? lacks('packing')

function lacks(verb: string): never {
  throw new Error(`the executor has no ${verb}, though it was said to have one`)
}
