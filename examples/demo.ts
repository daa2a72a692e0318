import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DispatchView, TaskView } from '../lib/schema/api.ts'
import { findProcesses } from './demo/find-processes.ts'
import { allBeat, countBeats } from './demo/heartbeats.ts'
import { quench, quenchUp, type Result, type Up } from './demo/quench.ts'
import { createStory } from './demo/story.ts'

// `npm run demo`: a temporary server, a graph that succeeds, and one that can only be stopped. Leaves nothing behind.

/** From asking to killing. Short, since these jobs are never going to listen. */
const graceSeconds = 2
const startSeconds = 30
/** Each process of a runaway beats every half second: who is silent for this long is dead. */
const silenceMs = 1500

const story = createStory(process.stdout)
const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort())
// Nobody reads on, as in `npm run demo | head`.
process.stdout.on('error', () => interrupt.abort())

const directory = await mkdtemp(join(tmpdir(), 'quench-demo-'))
let up: Up | undefined
try {
  await tell()
  const { passed, failed } = story.score()
  story.heading(failed.length === 0 ? `All ${passed} checks passed.` : `${failed.length} checks failed:`)
  for (const claim of failed) story.say(`  ${claim}`)
  process.exitCode = failed.length === 0 ? 0 : 1
} catch (error) {
  if (!interrupt.signal.aborted) throw error
  story.heading('Interrupted.')
  process.exitCode = 130
} finally {
  await cleanUp()
}

async function tell(): Promise<void> {
  story.heading('1. A server')
  story.say('It stands in for AWS on this machine: Batch jobs and SSH hosts are real processes here.')
  const options = ['--data', directory, '--stop-timeout', String(graceSeconds)]
  story.command(`quench up --port 0 ${options.join(' ')}`)
  up = await quenchUp(options)
  story.output(`listening on ${up.url}`)

  await estimatePi()
  const { dispatchId, tasks } = await startRunaways()
  await cancelPart(dispatchId, tasks)
  await cancelWhole(dispatchId, tasks)

  story.heading('6. What is on record')
  await run(['events', short(dispatchId)])

  story.heading('7. Ctrl-C')
  const exitCode = await up.end('SIGINT')
  up = undefined
  story.check('the server ended cleanly', exitCode === 0, `exit code ${exitCode}`)
  await checkNoneLeft('no process of the server or of any job is left on this machine', directory)
}

async function estimatePi(): Promise<void> {
  story.heading('2. A graph that succeeds')
  story.say('Throw 160 million darts in eight Batch jobs, add up the hits on an SSH host, and write a report.')
  const { exitCode, out } = await run(['dispatch', 'examples/pi.json', '--watch'])
  story.check('the dispatch succeeded', exitCode === 0, `exit code ${exitCode}`)

  const { dispatch } = await show(out.split('\n')[0] ?? '')
  if (dispatch.resultUri === undefined) return story.check('the report is there', false)
  const report = await readFile(fileURLToPath(dispatch.resultUri), 'utf8')
  story.say('The result of its last task:')
  for (const line of report.trimEnd().split('\n')) story.output(line)
  const [estimate = 0, error = 0] = (/^\| \d+ \| ([\d.]+) \| ([\d.]+) \|/m.exec(report) ?? []).slice(1).map(Number)
  const distance = Math.abs(estimate - Math.PI)
  story.check(`the estimate ${estimate} is within 5 standard errors of π`, error > 0 && distance <= 5 * error)
}

type Tasks = Awaited<ReturnType<typeof startRunaways>>['tasks']

async function startRunaways() {
  story.heading('3. A graph that never ends')
  story.say(
    'Two branches, each with a Batch job, an SSH job, and a task that waits behind them. Every job ignores SIGTERM,',
  )
  story.say('forks, and starts a daemon in a session of its own. All of them write heartbeats.')
  const { out } = await run(['dispatch', 'examples/runaway.json'])
  const { dispatch, tasks: views } = await show(out.split('\n')[0] ?? '')
  const { dispatchId } = dispatch
  const idsOf = (pattern: RegExp) => views.filter(({ name }) => pattern.test(name)).map(({ taskId }) => taskId)
  const tasks = { left: idsOf(/^left-(batch|ssh)/), right: idsOf(/^right-(batch|ssh)/), waiting: idsOf(/-waiting$/) }

  const started = { directory, dispatchId, taskIds: [...tasks.left, ...tasks.right] }
  const deadline = Date.now() + startSeconds * 1000
  while (!(await allBeat(started)) && Date.now() < deadline) await pause(100)
  story.check('all four jobs beat: main process, fork and daemon of each', await allBeat(started))
  for (const taskId of started.taskIds) {
    const pids = (await findProcesses(dispatchId)).filter((process) => process.taskId === taskId).map(({ pid }) => pid)
    story.output(`${(views[taskId]?.name ?? '').padEnd(12)} has processes ${pids.join(', ')}`)
  }
  return { dispatchId, tasks }
}

async function cancelPart(dispatchId: string, { left, right, waiting }: Tasks): Promise<void> {
  story.heading('4. Cancel a part of it')
  story.say('The left branch, and with it whatever waits behind. The right branch is none of its business.')
  const args = ['--tasks', 'left-batch,left-ssh', '--grace', String(graceSeconds), '--reason', 'wrong input', '--wait']
  const { exitCode } = await run(['cancel', short(dispatchId), ...args])
  story.check('every job of the left branch is confirmed to have ended', exitCode === 0, `exit code ${exitCode}`)

  const before = await countBeats({ directory, dispatchId, taskIds: [...left, ...right, ...waiting] })
  await pause(silenceMs)
  const after = await countBeats({ directory, dispatchId, taskIds: [...left, ...right, ...waiting] })
  const grew = (taskId: number) => (after.get(taskId) ?? 0) > (before.get(taskId) ?? 0)
  const alive = new Set((await findProcesses(dispatchId)).map(({ taskId }) => taskId))
  story.check('no process of the left branch is alive', !left.some((taskId) => alive.has(taskId)))
  story.check(`its heartbeats have stopped (watched for ${silenceMs / 1000} s)`, !left.some(grew))
  story.check(
    'what waited behind it has never started',
    waiting.every((taskId) => after.get(taskId) === 0),
  )
  story.check('the right branch runs on: its heartbeats go on', right.every(grew))
  await run(['show', short(dispatchId)])
}

async function cancelWhole(dispatchId: string, tasks: Tasks): Promise<void> {
  story.heading('5. Cancel all of it')
  const args = ['--yes', '--grace', String(graceSeconds), '--reason', 'end of the demo', '--wait']
  const { exitCode } = await run(['cancel', short(dispatchId), ...args])
  story.check('every job is confirmed to have ended', exitCode === 0, `exit code ${exitCode}`)
  await checkNoneLeft('no process of the dispatch is left on this machine', dispatchId)

  const all = { directory, dispatchId, taskIds: Object.values(tasks).flat() }
  const before = await countBeats(all)
  await pause(silenceMs)
  const after = await countBeats(all)
  story.check(
    'no heartbeat changes any more',
    all.taskIds.every((taskId) => after.get(taskId) === before.get(taskId)),
  )
  story.check(
    'the waiting tasks have never started',
    tasks.waiting.every((taskId) => after.get(taskId) === 0),
  )
  const { dispatch } = await show(dispatchId)
  const isCancelled = dispatch.state === 'cancelled' && dispatch.tasks.cancelled === dispatch.taskCount
  story.check('the dispatch and its six tasks are cancelled', isCancelled, JSON.stringify(dispatch.tasks))
}

async function checkNoneLeft(claim: string, marker: string): Promise<void> {
  const pids = (await findProcesses(marker)).map(({ pid }) => pid)
  story.check(`${claim} (by the environments in /proc)`, pids.length === 0, `processes ${pids.join(', ')}`)
}

/** A command that the reader could type, and what it prints. */
function run(args: readonly string[]): Promise<Result> {
  story.command(`quench ${args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg)).join(' ')}`)
  return quench(args, { ...connection(), onLine: story.output })
}

/** Behind the scenes: the same as JSON. */
async function show(dispatchId: string): Promise<{ dispatch: DispatchView; tasks: TaskView[] }> {
  const { out, error } = await quench(['show', dispatchId, '--json'], connection())
  if (out === '') throw new Error(`quench show ${dispatchId}: ${error}`)
  return JSON.parse(out)
}

function connection() {
  return { url: up?.url ?? '', signal: interrupt.signal }
}

function pause(ms: number): Promise<void> {
  return sleep(ms, undefined, { signal: interrupt.signal })
}

/** An id may be given as a unique prefix. */
function short(dispatchId: string): string {
  return dispatchId.slice(0, 8)
}

/** Also after a failure: nothing of the demo may outlive it. */
async function cleanUp(): Promise<void> {
  await up?.end('SIGTERM')
  for (const { pid } of await findProcesses(directory)) process.kill(pid, 'SIGKILL')
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}
