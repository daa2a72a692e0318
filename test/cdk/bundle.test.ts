import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Metafile } from 'esbuild'
import { expect, test } from 'vitest'
import { bundleFunction } from '../../cdk/bundle.ts'
import { z } from '../../cdk/lean/zod.ts'
import { functionVariables } from '../../lib/aws/config.ts'
import { environment } from '../aws/aws-world.ts'

const names = Object.keys(functionVariables) as (keyof typeof functionVariables)[]

test('every function can be loaded as it is deployed, and has a handler', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quench-bundles-'))
  try {
    for (const name of names) bundleFunction(name, join(folder, name))
    const files = names.map((name) => pathToFileURL(join(folder, name, 'index.mjs')).href)
    const script = `for (const file of ${JSON.stringify(files)}) console.log(typeof (await import(file)).handler)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, ...environment },
    })
    expect(stdout.trim().split('\n')).toEqual(names.map(() => 'function'))
  } finally {
    await rm(folder, { recursive: true })
  }
})

/** What the import of a bundle loads at once, and not with a first call. */
function loadedAtStart({ outputs }: Metafile): Metafile['outputs'][string][] {
  const files = new Set(Object.keys(outputs).filter((file) => file.endsWith('/index.mjs')))
  for (const file of files)
    for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') files.add(path)
  return [...files].flatMap((file) => outputs[file] ?? [])
}

const ofBackend =
  /client-(batch|ssm)\/|client-braket\/(?!.*enums)|back-ends\/(batch|ssh|slurm|braket|braket-job)\/executor\.ts$/

test.each(['cancel', 'reap', 'sweep'] as const)(
  'a start of %s is within 600 KB and loads no back end',
  async (name) => {
    const folder = await mkdtemp(join(tmpdir(), 'quench-bundle-'))
    try {
      const metafile = bundleFunction(name, folder)
      expect(Object.keys(metafile.inputs).filter((file) => ofBackend.test(file))).toContain(
        'lib/back-ends/slurm/executor.ts',
      )
      const loaded = loadedAtStart(metafile)
      const sources = loaded.flatMap(({ inputs }) => Object.keys(inputs))
      expect(sources).toContain(`functions/${name}.ts`)
      expect(sources.filter((file) => ofBackend.test(file))).toEqual([])
      expect(loaded.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(600_000)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

test('the lean zod of the bundles has what the sources use of it', () => {
  const types = new Set(['infer', 'input', 'output', 'RefinementCtx', 'ZodType'])
  const used = globSync(['lib/**/*.ts', 'functions/*.ts'], {
    exclude: ['lib/local/**', 'lib/emulator/**', 'lib/cli/**'],
  }).flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\bz\.(\w+)/g)].map(([, member = '']) => member))
  expect([...new Set(used)].filter((member) => !types.has(member) && !Object.hasOwn(z, member))).toEqual([])
})
