import { checkedName } from './job-list.ts'
import { recall, slurmPrelude } from './shell.ts'

/** The script that prints the id of a job, if the cluster has one of this name. */
export function findSlurmScript(name: string): string {
  return `${slurmPrelude}${recall}
name=${checkedName(name)}
if [ ! -d "$name" ]; then echo 'none;'; exit; fi
recall
if [ "$job" = 0 ] && [ ! -d "$name/run" ] && [ ! -e "$name/fate" ]; then echo 'none;'; else echo "job $job;"; fi
`
}

/** What a launch and `findSlurmScript` printed; undefined where there is no answer. */
export function parseJobId(stdout: string): number | 'none' | undefined {
  if (/^none;$/m.test(stdout)) return 'none'
  const match = /^job (\d+);$/m.exec(stdout)
  return match ? Number(match[1]) : undefined
}
