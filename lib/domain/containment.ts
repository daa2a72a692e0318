/** Ways to hold the processes of a job on a machine together, from the best to the last. */
export const containments = ['cgroup', 'freezer', 'subreaper', 'namespace', 'best effort'] as const

export type Containment = (typeof containments)[number]
