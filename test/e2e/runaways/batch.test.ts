import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, writeFileSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { quench } from '../../../examples/demo/quench.ts'
import { usualContainments } from '../../../lib/emulator/containment/ladder.ts'
import { until } from '../a-region.ts'
import { programs } from './batch-programs.ts'

const isRoot = process.getuid?.() === 0
const nobody = 65_534
/** How long nothing may be seen any more after the word `confirmed`. */
const watchMs = 5_000

/** Live processes that hold a file open as descriptor 9: a look that knows nothing of how jobs are held or found. */
async function holders(file: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const links = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/fd/9`).catch(() => '')))
  return pids.flatMap((pid, index) => (links[index]?.startsWith(file) ? [Number(pid)] : []))
}

interface Running {
  readonly url: string
  readonly folder: string
}

/** `quench up` as a user, with one rung. Nothing of it may be left. */
async function up(user: number | undefined, containment: string): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'quench-runaways-'))
  await chmod(folder, 0o755)
  const data = join(folder, 'data')
  await mkdir(data)
  if (user !== undefined) for (const path of [folder, data]) await chown(path, user, user)
  const program = fileURLToPath(new URL('../../../lib/cli/quench.ts', import.meta.url))
  const command = [process.execPath, program, 'up', '--port', '0', '--data', data, '--containment', containment]
  const asUser = user === undefined ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups']
  const [name = '', ...args] = [...asUser, ...command, '--vcpus', '64', '--stop-timeout', '1']
  const child = spawn(name, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    for (const pid of await holders(folder)) process.kill(pid, 'SIGKILL')
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit')])
  const url = /^listening on (http:\S+)$/.exec(String(line))?.[1]
  if (url === undefined) throw new Error(`quench up ended: ${line}`)
  return { url, folder }
}

/** Can somebody else run this checkout, and setpriv make one somebody else? */
function canBeNobody(): boolean {
  try {
    accessSync(process.execPath, constants.X_OK)
    execFileSync('setpriv', [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', process.execPath, '--version'])
    return true
  } catch {
    return false
  }
}

const users = [
  { user: undefined, who: isRoot ? 'root' : 'its user' },
  ...(isRoot ? [{ user: nobody, who: 'an ordinary user' }] : []),
]
const rungs = usualContainments.map((one) => one.replace(' ', '-'))
const cases = users.flatMap(({ user, who }) =>
  rungs.flatMap((rung) => ['graceful', 'forced'].map((mode) => ({ user, who, rung, mode }))),
)

describe('runaways on Batch', () => {
  test.for(cases)('held by $rung for $who, a $mode cancel leaves none', async ({ user, rung, mode }, { skip }) => {
    if (user !== undefined && !canBeNobody()) skip('no other user can run this checkout')
    const asRoot = isRoot && user === undefined
    if (!asRoot && (rung === 'cgroup' || rung === 'freezer')) skip('only root may make such groups here')
    const { url, folder } = await up(user, rung)
    const taken = programs.filter(
      ({ needsRoot, hides }) => (asRoot || !needsRoot) && !(hides && rung === 'best-effort'),
    )
    const fileOf = (index: number) => join(folder, `token-${index}.`)
    const tasks = taken.map(({ script }, index) => {
      writeFileSync(fileOf(index), '')
      const own = `mkdir own-${index}; cd own-${index}; exec 9<${fileOf(index)}; ${script}`
      return { name: `runaway-${index}`, executor: 'batch', options: { command: ['sh', '-c', own] } }
    })
    const { out } = await quench(['dispatch', '-', '--json'], {
      url,
      stdin: JSON.stringify({ name: 'runaways', tasks }),
    })
    const { dispatchId } = JSON.parse(out)
    await Promise.all(
      taken.map(({ name, count }, index) =>
        until(`${name} is at work`, async () => (await holders(fileOf(index))).length >= count),
      ),
    )

    const how = mode === 'forced' ? ['--force'] : ['--grace', '1']
    const cancelled = await quench(['cancel', dispatchId, '--yes', '--wait', ...how], { url })
    expect(cancelled).toMatchObject({ exitCode: 0 })
    for (const endAt = performance.now() + watchMs; performance.now() < endAt; await sleep(200)) {
      const left = await Promise.all(
        taken.map(async ({ name }, index) => ((await holders(fileOf(index))).length > 0 ? [name] : [])),
      )
      expect(left.flat()).toEqual([])
    }
  })
})
