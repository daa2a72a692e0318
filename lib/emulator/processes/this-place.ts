import { readFileSync, readlinkSync } from 'node:fs'

let place: string | undefined

/**
 * Where a pid means something: this boot of the machine, and this PID namespace. Shape: `<boot id>/<inode>`, no spaces.
 *
 * Source: proc(5), /proc/sys/kernel/random/boot_id; namespaces(7), /proc/pid/ns.
 */
export function thisPlace(): string {
  place ??= `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`
  return place
}
