/** Ways to hold a job's processes together, from the best to the last. */
export const containments = ['cgroup', 'freezer', 'subreaper', 'namespace', 'best effort'] as const
export type Containment = (typeof containments)[number]
