import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { bundleFunction } from '../../cdk/bundle.ts'
import { z } from '../../cdk/lean/zod.ts'
import { functionVariables } from '../../lib/runtime/config.ts'
import { environment } from '../runtime/aws-world.ts'

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

test('the lean zod of the bundles has what the sources use of it', () => {
  const types = new Set(['infer', 'input', 'output', 'ZodType'])
  const used = globSync(['lib/**/*.ts', 'functions/*.ts'], { exclude: ['lib/local/**', 'lib/cli/**'] }).flatMap(
    (file) => [...readFileSync(file, 'utf8').matchAll(/\bz\.(\w+)/g)].map(([, member = '']) => member),
  )
  expect([...new Set(used)].filter((member) => !types.has(member) && !Object.hasOwn(z, member))).toEqual([])
})
