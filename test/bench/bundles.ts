import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { bundleFunction, type FunctionName } from '../../cdk/bundle.ts'
import { median, printReport, progress, type Report, round } from './report.ts'

const names: readonly FunctionName[] = ['api', 'turn', 'act', 'cancel', 'job-events', 'reap', 'sweep', 'announce']
const maxCancelKb = 600
const imports = 5

/** As the stack sets them: functions read them when they are loaded. */
const environment = {
  AWS_REGION: 'eu-west-1',
  QUENCH_TABLE: 'quench',
  QUENCH_STATE_MACHINE_ARN: 'arn:aws:states:eu-west-1:111122223333:stateMachine:quench-dispatch',
  QUENCH_BUCKET: 'amazon-braket-quench-111122223333-eu-west-1',
  QUENCH_BULK_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/111122223333/quench-bulk',
  QUENCH_BACKENDS: JSON.stringify({
    batch: { jobQueues: ['default'] },
    braket: { devices: {}, jobRoleArn: 'arn:aws:iam::111122223333:role/jobs' },
    hosts: { lab: { instanceId: 'i-0123456789abcdef0' } },
    clusters: { hpc: { instanceId: 'i-0fedcba9876543210' } },
  }),
}

/**
 * What a cold start loads, and how long its imports take, for each function; and the whole of its folder, in which the
 * code of each back end waits for its first call.
 */
export async function measureBundles(): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'quench-bundles-'))
  try {
    const rows: (string | number)[][] = []
    const broken: string[] = []
    for (const name of names) {
      progress(`bundles: ${name}`)
      const output = join(folder, name)
      const { inputs, outputs } = bundleFunction(name, output)
      const { kb, importMs } = await load(output)
      const whole = kilobytes(Object.values(outputs).map(({ bytes }) => bytes))
      const clients = clientsIn(Object.keys(inputs)).join(' ')
      rows.push([name, kb, importMs, whole, clients])
      if (name === 'cancel' && kb > maxCancelKb) broken.push(`cancel loads ${kb} KB, more than ${maxCancelKb}.`)
    }
    return {
      title: `Functions, bundled and minified (aim for cancel: ${maxCancelKb} KB, 150 ms; median of ${imports} imports)`,
      heading: ['function', 'start: KB', 'ms', 'whole: KB', 'SDK clients'],
      rows,
      broken,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Import a bundle in processes of their own, which have loaded nothing yet. */
async function load(folder: string): Promise<{ kb: number; importMs: number }> {
  const env = { ...process.env, ...environment }
  const script = `
    import { registerHooks } from 'node:module'
    const files = []
    if (process.argv[1] === 'list')
      registerHooks({ load: (url, context, next) => { files.push(url); return next(url, context) } })
    const at = performance.now()
    await import(${JSON.stringify(pathToFileURL(join(folder, 'index.mjs')).href)})
    console.log(JSON.stringify({ ms: performance.now() - at, files }))`
  const run = async (mode: 'list' | 'time') => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, mode], {
      env,
    })
    return z.object({ ms: z.number(), files: z.array(z.string()) }).parse(JSON.parse(stdout))
  }
  const { files } = await run('list')
  const sizes = await Promise.all(
    files.filter((file) => file.startsWith('file:')).map(async (file) => (await stat(new URL(file))).size),
  )
  const times: number[] = []
  for (let n = 0; n < imports; n++) times.push((await run('time')).ms)
  return { kb: kilobytes(sizes), importMs: Math.round(median(times)) }
}

const kilobytes = (sizes: readonly number[]) => round(sizes.reduce((sum, bytes) => sum + bytes, 0) / 1000)

function clientsIn(inputs: readonly string[]): readonly string[] {
  const clients = inputs.map((input) => /node_modules\/@aws-sdk\/client-([^/]+)\//.exec(input)?.[1])
  return [...new Set(clients)].filter((client) => client !== undefined).sort()
}

if (import.meta.main) {
  const report = await measureBundles()
  printReport(report)
  if (report.broken.length > 0) process.exitCode = 1
}
