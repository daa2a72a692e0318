import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  currentTicks,
  findProcesses,
  isAlive,
  killProcesses,
  parseStat,
  readProcess,
  signalProcess,
} from '../../../lib/emulator/processes/process-tree.ts'
import { patienceMs } from '../../support/patience.ts'

const variable = 'QUENCH_TREE_TEST'

function start(value: string, script: string): ChildProcess {
  const env = { PATH: process.env.PATH, [variable]: value }
  return spawn('/bin/sh', ['-c', script], { env, stdio: 'ignore', detached: true })
}

async function findSoon(value: string, count: number) {
  for (const deadline = Date.now() + patienceMs; ; await sleep(10)) {
    const found = findProcesses(variable, new Set([value])).get(value) ?? []
    if (found.length === count || Date.now() > deadline) return found
  }
}

test('processes are found by a variable of their environment, several values in one pass', async () => {
  const [a, b] = [randomUUID(), randomUUID()]
  const [first, second] = [start(a, 'exec sleep 60'), start(b, 'exec sleep 60')]
  await Promise.all([findSoon(a, 1), findSoon(b, 1)])
  const found = findProcesses(variable, new Set([a, b]))
  expect(found.get(a)?.map(({ pid }) => pid)).toEqual([first.pid])
  expect(found.get(b)?.map(({ pid }) => pid)).toEqual([second.pid])
  expect(findProcesses(variable, new Set([a.slice(0, -1)])).size).toBe(0)
  await killProcesses(variable, new Set([a, b]))
})

test('a daemon in a session of its own is found, and so is a child that cleared its environment', async () => {
  const value = randomUUID()
  start(value, 'setsid sleep 60 & env -i sleep 60 & wait')
  const found = await findSoon(value, 3)
  expect(found).toHaveLength(3)
  expect(await killProcesses(variable, new Set([value]))).toEqual(new Set())
  expect(found.some(isAlive)).toBe(false)
})

test('a process that is dying is waited for, though its environment is gone before it is', async () => {
  const value = randomUUID()
  const program = 'const b = Buffer.alloc(4e8, 1); setInterval(() => b, 1e6)'
  const child = start(value, `exec '${process.execPath}' -e '${program}'`)
  // Half of it at least is in memory, which takes a while to give back.
  const residentPages = () => Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1])
  await expect.poll(residentPages).toBeGreaterThan(50_000)
  const [found] = await findSoon(value, 1)
  expect(await killProcesses(variable, new Set([value]))).toEqual(new Set())
  expect(found && isAlive(found)).toBe(false)
})

test('a process that was known before it cleared its environment and lost its parent is still found', async () => {
  const value = randomUUID()
  const shell = start(value, 'env -i sleep 60 & wait')
  const seen = await findSoon(value, 2)
  expect(seen).toHaveLength(2)
  shell.kill('SIGKILL')
  await once(shell, 'exit')
  expect(findProcesses(variable, new Set([value])).size).toBe(0)
  const known = new Map([[value, seen]])
  expect(findProcesses(variable, new Set([value]), { known }).get(value)).toHaveLength(1)
  await killProcesses(variable, new Set([value]), { known })
  expect(seen.some(isAlive)).toBe(false)
})

test('processes that are older than asked for are not looked at', async () => {
  const value = randomUUID()
  const earlier = currentTicks()
  const child = start(value, 'exec sleep 60')
  await once(child, 'spawn')
  const before = (readProcess(child.pid ?? 0)?.startTicks ?? 0) + 1
  // What is read before a process starts leaves it in.
  expect(earlier).toBeLessThan(before)
  // While a process takes on a program, its environment cannot be read.
  await expect.poll(() => findProcesses(variable, new Set([value]), { sinceTicks: before - 1 }).size).toBe(1)
  expect(findProcesses(variable, new Set([value]), { sinceTicks: before }).size).toBe(0)
  await killProcesses(variable, new Set([value]))
})

test('a pid that belongs to another process by now is not signalled', async () => {
  const child = start(randomUUID(), 'exec sleep 60')
  await once(child, 'spawn')
  const live = readProcess(child.pid ?? 0)
  if (!live) throw new Error('not started')
  expect(signalProcess({ ...live, startTicks: live.startTicks - 1 }, 'SIGKILL')).toBe(false)
  expect(isAlive(live)).toBe(true)
  expect(signalProcess(live, 'SIGKILL')).toBe(true)
  await once(child, 'exit')
  expect(isAlive(live)).toBe(false)
  expect(signalProcess(live, 'SIGKILL')).toBe(false)
})

test("a command's name may hold brackets and spaces", () => {
  const rest = 'S 7 1 1 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 4711 0 0'
  expect(parseStat(`42 (a) b (c) ${rest}`)).toEqual({ pid: 42, parentPid: 7, sessionId: 1, startTicks: 4711 })
})

test('a zombie is dead', () => {
  expect(parseStat('42 (sh) Z 7 1 1 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 4711 0 0')).toBeUndefined()
})
