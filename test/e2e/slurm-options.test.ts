import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Handle, JobSpec, Observation } from '../../lib/back-ends/executor.ts'
import { sbatchOptionTable } from '../../lib/back-ends/slurm/sbatch-options.ts'
import { aJobSpec } from '../contracts/executor-contract.ts'
import { eventually } from '../support/scratch-host.ts'
import { startClusters, whyNoSlurm } from '../support/slurm-cluster.ts'

const reason = whyNoSlurm()
const force = { mode: 'force', reason: '' } as const

describe.skipIf(reason)(`options of the installed sbatch${reason === undefined ? '' : `: ${reason}`}`, () => {
  let cluster: Awaited<ReturnType<typeof startClusters>>
  beforeAll(async () => {
    cluster = await startClusters()
  })
  afterAll(() => cluster.stop())

  const submit = (options: Record<string, unknown>) => {
    const parsed = cluster.executor.optionsSchema.parse({ cluster: 'main', command: 'true', ...options })
    return cluster.executor.submit(aJobSpec({ options: parsed as JobSpec['options'] }))
  }
  const observe = async (handle: Handle) => (await cluster.executor.poll([handle]))[0] as Observation
  const reach = (handle: Handle, state: Observation['state']) =>
    eventually(async () => (await observe(handle)).state === state)
  const output = (handle: Handle) =>
    readFile(join(cluster.folder, String(handle.name), 'stdout'), 'utf8').catch(() => '')

  test('are all in the table, with their short forms', async () => {
    const { stdout: help } = await cluster.onLogin('sbatch --help')
    const listed = [...help.matchAll(/^ +(?:-(\w), )?--([a-z-]+)/gm)].map(([, short, key]) => `${key} ${short ?? ''}`)
    expect(listed.length).toBeGreaterThan(60)
    const known = sbatchOptionTable.map(({ key, short = '' }) => `${key} ${short}`)
    expect(listed.filter((one) => !known.includes(one))).toEqual([])
  })

  test.for([
    { mem: '1GB' },
    { mem: 0 },
    { mem: '512MB' },
    { time: 'UNLIMITED' },
    { time: -1 },
    { time: 0 },
    { time: '1-' },
    { ntasks: '2' },
    { nodes: '1-2' },
    { extra: ['-c 2', '--exclusive'] },
    { extra: ['--export=NONE'] },
    { extra: ['--export=ALL,FOO=1', '--nice', '-k', '--propagate=NONE'] },
    { command: '#!/bin/sh\n#SBATCH --mem 1GB # enough\n#SBATCH -t 1:00 -n1\ntrue' },
  ])('are taken by it, and the job succeeds: %j', async (options) => {
    const handle = await submit(options)
    await eventually(async () => !['queued', 'running'].includes((await observe(handle)).state))
    expect(await observe(handle)).toMatchObject({ state: 'succeeded' })
  })

  const saving = (signal: string) =>
    `trap "echo saved; exit 0" ${signal}; echo ready; n=0; while [ $n -lt 3000 ]; do sleep 0.1; n=$((n+1)); done`

  test.for(['USR1', 'USR2', 'INT', 'QUIT', 'TERM', 'HUP', 'CONT', 'URG', 'XCPU'])(
    'such as --signal: %s to the batch shell reaches the command',
    async (signal) => {
      const handle = await submit({ command: saving(signal), extra: [`--signal=B:${signal}@60`] })
      await eventually(async () => (await output(handle)) === 'ready\n')
      await cluster.onLogin(`scancel --batch --signal=${signal} ${handle.jobId}`)
      await reach(handle, 'succeeded')
      expect(await output(handle)).toBe('ready\nsaved\n')
    },
  )

  test('such as --signal: a command that does not trap it ends of it', async () => {
    const handle = await submit({ command: 'echo ready; exec sleep 300' })
    await eventually(async () => (await output(handle)) === 'ready\n')
    await cluster.onLogin(`scancel --batch --signal=USR1 ${handle.jobId}`)
    await reach(handle, 'failed')
    expect(await observe(handle)).toMatchObject({ exitCode: 138 })
  })

  test('such as --signal: one that is passed on is no cancel, and a cancel comes through after it', async () => {
    const handle = await submit({ command: `trap "echo once" USR1; echo ready; while :; do sleep 0.1; done` })
    await eventually(async () => (await output(handle)) === 'ready\n')
    await cluster.onLogin(`scancel --batch --signal=USR1 ${handle.jobId}`)
    await eventually(async () => (await output(handle)) === 'ready\nonce\n')
    expect(await observe(handle)).toMatchObject({ state: 'running' })
    await cluster.executor.cancel([handle], force)
    await reach(handle, 'cancelled')
  })

  test('such as --hold and --begin keep a job waiting', async () => {
    const handle = await submit({ extra: ['-H'] })
    expect(await observe(handle)).toMatchObject({ state: 'queued' })
    await cluster.onLogin(`scontrol release ${handle.jobId}`)
    await reach(handle, 'succeeded')
  })

  test('such as --requeue are refused before anything is submitted, and no operator can requeue a job', async () => {
    await expect(async () => submit({ extra: ['--requeue'] })).rejects.toThrow('--requeue is not taken')
    const handle = await submit({ command: 'echo run; sleep 300' })
    await reach(handle, 'running')
    const { exitCode } = await cluster.onLogin(`scontrol requeue ${handle.jobId}`)
    expect(exitCode).not.toBe(0)
    expect(await observe(handle)).toMatchObject({ state: 'running' })
    await cluster.executor.cancel([handle], force)
    await reach(handle, 'cancelled')
  })
})
