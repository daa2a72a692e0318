import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createScratchHost } from '../../support/scratch-host.ts'

/** A scontrol that reads questions: of a controller that has no job, and answers all else. */
export const controllerWithoutJobs = `while read -r a b c; do
  echo "scontrol: $a $b $c"
  case $b in
  job) echo 'slurm_load_jobs error: Invalid job id specified' >&2 ;;
  config) echo 'ProctrackType           = proctrack/linuxproc' ;;
  esac
done`

/**
 * A host where programs by Slurm's names stand in for a cluster: sbatch notes its arguments and runs the batch script at
 * once, for up to ten elements of an array; squeue and scontrol know no job.
 */
export function createFakeLogin() {
  const scratch = createScratchHost()
  const bin = join(scratch.directory, 'bin')
  mkdirSync(bin)
  const program = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const at = (name: string) => join(scratch.directory, name)
  program('squeue', 'exit 0')
  program('scontrol', controllerWithoutJobs)
  program('scancel', `echo "$*" >>'${at('scancels')}'`)
  program(
    'sbatch',
    `printf '%s\\0' "$@" >'${at('arguments')}'
last=
for one; do case $one in --output=*) out=\${one#--output=} ;; --array=0-*) last=\${one#--array=0-} ;; esac; done
while [ "\${1#--}" != "$1" ]; do shift; done
if [ -z "$last" ]; then SLURM_JOB_ID=7 sh "$@" >"$(printf %s "$out" | sed s/%%/%/g)" 2>&1
else
  index=0
  while [ $index -le $last ] && [ $index -lt 10 ]; do
    SLURM_JOB_ID=$((100 + index)) SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$index \\
      sh "$@" >"$(printf %s "$out" | sed "s/%a/$index/; s/%%/%/g")" 2>&1
    index=$((index + 1))
  done
fi
echo '7;cluster'`,
  )
  return {
    at,
    program,
    dispose: scratch.dispose,
    run: (script: string) => scratch.run(`PATH='${bin}':$PATH\n${script}`),
    sbatchArguments: () => readFileSync(at('arguments'), 'utf8').split('\0').slice(0, -1),
    read: (name: string) => readFileSync(at(name), 'utf8'),
  }
}
