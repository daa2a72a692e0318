import { readFileSync } from 'node:fs'

/** Where a cgroup hierarchy is mounted. */
export interface CgroupMounts {
  /** Of cgroup v2; a hybrid mount such as `/sys/fs/cgroup/unified` counts. */
  readonly v2: readonly string[]
  /** Of the v1 controller `freezer`. */
  readonly freezer: readonly string[]
}

/** Source: proc(5), /proc/mounts (spaces in a path are `\040`); cgroups(7). */
export function readCgroupMounts(text: string = readFileSync('/proc/mounts', 'utf8')): CgroupMounts {
  const v2: string[] = []
  const freezer: string[] = []
  for (const line of text.split('\n')) {
    const [, path = '', type, options = ''] = line.split(' ')
    const mount = path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    if (type === 'cgroup2') v2.push(mount)
    if (type === 'cgroup' && options.split(',').includes('freezer')) freezer.push(mount)
  }
  return { v2, freezer }
}
