import { BackendUnavailable, isBackendError } from '../../domain/errors.ts'
import type { Deadline } from '../executor.ts'
import { type Absence, explainAbsence } from './host-absence.ts'
import type { HostJob } from './host-script.ts'
import { HostUnreachable } from './host-unreachable.ts'
import { type RunCommand, runScript } from './run-command.ts'
import { maxScriptBytes, scriptBytes } from './script-size.ts'

export interface HostQuestion<Answer, Job = HostJob> {
  readonly comment: string
  script(jobs: readonly Job[]): string
  /** The answers in a script's output, in order; fewer than jobs when it was cut. */
  parse(stdout: string): readonly Answer[]
  /** The answer for a job whose host did not answer while others did. */
  failed(error: Error & { readonly code: string }): Answer
  /** The answer for a job whose host is not there, where that says something about the job. */
  absent?(absence: Absence): Answer | undefined
}

/**
 * Ask every host about all its jobs with one script, hosts at the same time.
 *
 * A script that would be too long for a command is split, and what an output of more than 24,000 characters did not
 * hold is asked again. A host that has not answered by the deadline costs its own jobs their answers.
 * Shape: one answer a handle, in the same order.
 * Errors: BackendUnavailable or BackendRejected when not one job got an answer.
 */
export async function askHosts<Answer, Job extends { readonly instanceId: string }>(
  runCommand: RunCommand,
  handles: readonly Job[],
  question: HostQuestion<Answer, NoInfer<Job>>,
  deadline?: Deadline,
): Promise<readonly Answer[]> {
  const answers: Answer[] = new Array(handles.length)
  let answered = 0
  const askHost = async (instanceId: string, indexes: readonly number[]) => {
    for (let rest = indexes; rest.length > 0; ) {
      const jobsOf = (count: number) => rest.slice(0, count).map((index) => handles[index] as Job)
      let count = rest.length
      while (count > 1 && scriptBytes(question.script(jobsOf(count))) > maxScriptBytes) count = Math.ceil(count / 2)
      const comment = `quench: ${question.comment} (${count})`
      try {
        const result = await runScript(
          runCommand,
          { instanceId, script: question.script(jobsOf(count)), comment },
          deadline,
        )
        const got = question.parse(result.stdout).slice(0, count)
        if (got.length === 0) {
          const why = `${instanceId}: exit code ${result.exitCode}. ${result.stderr.slice(0, 500)}`
          throw new BackendUnavailable(why, { arrived: 'unknown' })
        }
        got.forEach((answer, at) => {
          answers[rest[at] as number] = answer
        })
        answered += got.length
        rest = rest.slice(got.length)
      } catch (error) {
        if (!isBackendError(error)) throw error
        const absent = error instanceof HostUnreachable ? question.absent : undefined
        const answer = absent?.(await explainAbsence(runCommand, instanceId, deadline))
        for (const index of rest) answers[index] = answer ?? question.failed(error)
        if (answer === undefined) return error
        answered += rest.length
        return undefined
      }
    }
    return undefined
  }

  const hosts = Map.groupBy(handles.keys(), (index) => handles[index]?.instanceId ?? '')
  const errors = await Promise.all([...hosts].map(([instanceId, indexes]) => askHost(instanceId, indexes)))
  const [first] = errors
  if (answered === 0 && first) throw first
  return answers
}
