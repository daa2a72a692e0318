import { isDeepStrictEqual } from 'node:util'
import type { JobDetail } from '@aws-sdk/client-batch'
import { BackendRejected, isBackendError } from '../../domain/errors.ts'
import type { JsonObject } from '../../domain/json.ts'
import type { JobSpec, Observation } from '../executor.ts'
import { environmentName } from '../run-command/host-script.ts'
import { shellQuote } from '../run-command/shell-quote.ts'
import { type BatchHandle, jobIdOf } from './handle.ts'
import { formatIdRanges, parseIdRanges } from './id-ranges.ts'

/** Source: Batch user guide, "Array jobs": 2 to 10,000 children. */
export const maxArraySize = 10_000

/** Holds the task ids of an array job's children, in their order, as ranges. */
const packVariable = 'QUENCH_PACK_TASKS'

/** All children of an array job share command, environment and resources. Source: Batch user guide, "Array jobs". */
export function packProblem(options: readonly JsonObject[]): string | undefined {
  const [first = {}, ...others] = options
  for (const other of others) {
    const key = [...new Set([...Object.keys(first), ...Object.keys(other)])].find(
      (one) => !isDeepStrictEqual(first[one], other[one]),
    )
    if (key !== undefined) return `members of a pack on Batch are one array job, and must not differ in ${key}`
  }
  return undefined
}

/**
 * The job whose children are the members of a pack: what they share as it is, and what differs made by a shell.
 *
 * The values of the members' own variables differ by their task id alone (`QUENCH_TASK_ID`, `QUENCH_JOB`,
 * `QUENCH_RESULT`), so each becomes a template, and a child finds its task id by its place in the array. Besides, it
 * gets QUENCH_TASK_INDEX, that place. The image must have a POSIX `sh`.
 * Errors: BackendRejected when members differ in more than that.
 */
export function asOneJob(jobs: readonly JobSpec[], name: string): JobSpec {
  const [first] = jobs
  const problem =
    packProblem(jobs.map(({ options }) => options)) ??
    (jobs.some(({ timeoutSeconds }) => timeoutSeconds !== first?.timeoutSeconds)
      ? 'members of a pack on Batch are one array job, and must not differ in timeoutSeconds'
      : undefined)
  if (!first || jobs.length < 2 || jobs.length > maxArraySize)
    throw new BackendRejected(`an array job has 2 to ${maxArraySize} children, not ${jobs.length}`)
  if (problem !== undefined) throw new BackendRejected(problem)

  const ids = jobs.map(({ taskId }) => taskId)
  const shared: Record<string, string> = { [packVariable]: formatIdRanges(ids) }
  const own = ['QUENCH_TASK_INDEX="$AWS_BATCH_JOB_ARRAY_INDEX"']
  for (const variable of new Set(jobs.flatMap(({ environment }) => Object.keys(environment)))) {
    const pieces = templateOf(
      jobs.map(({ environment }) => environment[variable]),
      ids,
    )
    if (!pieces || !environmentName.test(variable))
      throw new BackendRejected(`members of a pack on Batch must not differ in ${variable} by more than their task id`)
    if (pieces.length === 1) shared[variable] = pieces[0] ?? ''
    else own.push(`${variable}=${pieces.map((piece) => (piece === '' ? '' : shellQuote(piece))).join('"$1"')}`)
  }
  const { command, ...options } = first.options
  const wrapped = ['sh', '-c', prologue(own), 'quench', ...(command as string[])]
  return { ...first, name, options: { ...options, command: wrapped }, environment: shared }
}

/**
 * A child's shell, until it becomes the command. Its task id is `$1` while it is there; what it takes to find it stays
 * in a subshell, so that no variable of the task is touched.
 */
const prologue = (own: readonly string[]) => `set -- "$(
  IFS=,
  n=\${AWS_BATCH_JOB_ARRAY_INDEX:?}
  for range in $${packVariable}; do
    first=\${range%-*} last=\${range#*-}
    if [ "$n" -le $((last - first)) ]; then echo $((first + n)); break; fi
    n=$((n - (last - first) - 1))
  done
)" "$@"
[ -n "$1" ] || { echo 'quench: this child of the array stands for no task' >&2; exit 125; }
export ${own.join(' ')}
unset ${packVariable}
shift
exec "$@"`

/**
 * The pieces of a text around the task id, when members have it in common but for the id; one piece when it is the same
 * for all. Only whole runs of digits are taken for an id.
 */
function templateOf(values: readonly (string | undefined)[], ids: readonly number[]): readonly string[] | undefined {
  const members = values.map((value) => value?.split(/(\d+)/) ?? [])
  const [first = []] = members
  if (members.some(({ length }) => length !== first.length || length === 0)) return undefined
  const pieces = ['']
  for (const [at, part] of first.entries()) {
    if (members.every((parts) => parts[at] === part)) pieces.push(`${pieces.pop()}${part}`)
    else if (members.every((parts, member) => parts[at] === String(ids[member]))) pieces.push('')
    else return undefined
  }
  return pieces
}

/** The task ids of an array job's children, in their order, by what the job itself says. */
export function packedTasks({ container }: Pick<Partial<JobDetail>, 'container'>): readonly number[] {
  return parseIdRanges(container?.environment?.find(({ name }) => name === packVariable)?.value ?? '')
}

/**
 * The ids to terminate, one a handle: that of the parent wherever this stops nobody who is not meant, since one call
 * with it stops up to 10,000 children; otherwise those of the children.
 *
 * The others of an array may all have ended; where asking for them is cheaper than to name each child, `observe` does.
 * Source: Batch user guide, "Array jobs": terminating the parent terminates all children, a child leaves the others alone.
 */
export async function terminationTargets(
  handles: readonly BatchHandle[],
  observe: (jobIds: readonly string[]) => Promise<readonly Observation[]>,
  perCall: { readonly terminate: number; readonly describe: number },
): Promise<readonly string[]> {
  const whole = new Set<string>()
  const arrays = Map.groupBy(
    handles.filter(({ index }) => index !== undefined),
    ({ jobId }) => jobId,
  )
  for (const [jobId, members] of arrays) {
    const named = new Set(members.map(({ index }) => index))
    const indexes = Array.from({ length: members[0]?.size ?? 0 }, (_, index) => index)
    const others = indexes.filter((index) => !named.has(index)).map((index) => `${jobId}:${index}`)
    const askCalls = Math.ceil(others.length / perCall.describe)
    if (askCalls + 1 >= Math.ceil(named.size / perCall.terminate) && others.length > 0) continue
    if (await haveEnded(others, observe)) whole.add(jobId)
  }
  return handles.map((handle) => (whole.has(handle.jobId) ? handle.jobId : jobIdOf(handle)))
}

async function haveEnded(
  jobIds: readonly string[],
  observe: (jobIds: readonly string[]) => Promise<readonly Observation[]>,
): Promise<boolean> {
  if (jobIds.length === 0) return true
  try {
    const seen = await observe(jobIds)
    return seen.every(({ state }) => state === 'succeeded' || state === 'failed' || state === 'cancelled')
  } catch (error) {
    if (!isBackendError(error)) throw error
    return false
  }
}
