import { afterAll, describe, expect, test } from 'vitest'
import { parseJobId } from '../../../lib/back-ends/slurm/find-script.ts'
import { launchSlurmScript } from '../../../lib/back-ends/slurm/launch.ts'
import { createFakeLogin } from './fake-login.ts'

const login = createFakeLogin()
afterAll(async () => {
  expect(await login.dispose()).toBe(0)
})

let count = 0
const aLaunch = (overrides: Partial<Parameters<typeof launchSlurmScript>[0]> = {}) => {
  count += 1
  return { name: `job-${count}-1`, command: 'true', options: [], environment: {}, ...overrides }
}

describe('an answer of sbatch', () => {
  const realAnswer = "echo '7;cluster'"
  const withAnswer = (text: string) => login.program('sbatch', `${text}`)
  const isListed = (name: string) => login.program('squeue', `echo 'J|7|N/A|PD|N/A|N/A|${name}'`)

  test.for([
    ['a banner before it', `printf '*** News ***\n\n'; ${realAnswer}`],
    ['a banner after it', `${realAnswer}; echo 'See you in 2027'`],
    ['a number after it', `${realAnswer}; echo 2027`],
    ['colours around it', String.raw`printf '\033[1;32m7\033[0m;cluster\033[0m\n'`],
    ['a carriage return behind it', String.raw`printf '7\r\n'`],
    ['no newline behind it', 'printf 7'],
    ['the sentence of a wrapper instead', 'echo Submitted batch job 7'],
    ['nothing on stdout', 'true'],
    ['an exit code that is wrong', `${realAnswer}; exit 1`],
    ['a warning on stderr', `echo 'sbatch: warning: no more' >&2; ${realAnswer}`],
  ] as const)('with %s is read for the id that the controller has', async ([, answer]) => {
    withAnswer(answer)
    const launch = aLaunch()
    isListed(launch.name)
    expect(parseJobId((await login.run(launchSlurmScript(launch))).stdout)).toBe(7)
    expect(login.read(`slurm/${launch.name}/job`)).toBe('7\n')
  })

  test('that is an id stands where squeue does not show the job yet', async () => {
    withAnswer(`echo News; ${realAnswer}`)
    login.program('squeue', 'exit 0')
    expect(parseJobId((await login.run(launchSlurmScript(aLaunch()))).stdout)).toBe(7)
  })

  test('without an id, where nobody knows the job, is an answer without a job', async () => {
    withAnswer('echo News')
    login.program('squeue', 'exit 0')
    expect(parseJobId((await login.run(launchSlurmScript(aLaunch()))).stdout)).toBe(0)
  })

  test.for([
    ['an exit code of 1, and an empty list', 'exit 1', 'exit 0', 77],
    ['an exit code of 1, and no list', 'exit 1', 'exit 1', 75],
    ['an exit code of 1, and a list with a complaint', 'exit 1', 'echo error >&2', 75],
    ['a signal', 'kill -9 $$', 'exit 0', 75],
    ['no controller to connect to', 'echo "sbatch: error: (connect failure)" >&2; exit 1', 'exit 1', 77],
    ['a controller that was too slow', 'echo "Socket timed out" >&2; exit 1', 'exit 0', 75],
  ] as const)('that is a refusal by %s', async ([, answer, list, exitCode]) => {
    withAnswer(answer)
    login.program('squeue', list)
    expect((await login.run(launchSlurmScript(aLaunch()))).exitCode).toBe(exitCode)
  })
})
