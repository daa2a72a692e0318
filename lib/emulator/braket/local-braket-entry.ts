import { existsSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalHybridJob } from './local-braket-records.ts'
import { bucketFolder } from './local-braket-results.ts'

/** What a hybrid job's process is started with. */
export interface EntryCommand {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

const interpreters: Readonly<Record<string, string>> = {
  '.py': 'python3',
  '.sh': 'sh',
  '.js': 'node',
  '.cjs': 'node',
  '.mjs': 'node',
  '.ts': 'node',
}

const runModule = [
  'import importlib, runpy, sys',
  'module, _, function = sys.argv[1].partition(":")',
  'if function: getattr(importlib.import_module(module), function)()',
  'else: runpy.run_module(module, run_name="__main__")',
].join('\n')

/**
 * Make a job's folder as its container would have it, and find out how to run its entry point.
 *
 * An entry point that names a file beside the source (or in it, where that is a folder) is run by its extension; any
 * other is a Python module, `module` or `module:function`.
 * Errors: Error when there is no source at its URI.
 * Source: Braket developer guide, "Key concepts for Hybrid Jobs", environment variables and folders.
 */
export async function prepareEntry(directory: string, folder: string, job: LocalHybridJob): Promise<EntryCommand> {
  const { algorithmSpecification, hyperParameters = {}, jobName = '', deviceConfig, outputDataConfig } = job.input
  const { s3Uri = '', entryPoint = '' } = algorithmSpecification?.scriptModeConfig ?? {}
  const source = pathOf(directory, s3Uri)
  if (!existsSync(source)) throw new Error(`there is no source at ${s3Uri}`)
  const base = statSync(source).isDirectory() ? source : dirname(source)

  const config = join(folder, 'input/config')
  const results = join(folder, 'model')
  const checkpoints = join(folder, 'checkpoints')
  await Promise.all([config, results, checkpoints].map((path) => mkdir(path, { recursive: true })))
  await writeFile(join(config, 'hyperparameters.json'), JSON.stringify(hyperParameters))

  const file = join(base, entryPoint)
  const isFile = existsSync(file) && statSync(file).isFile()
  const interpreter = interpreters[extname(file)]
  const command = isFile ? [...(interpreter ? [interpreter] : []), file] : ['python3', '-c', runModule, entryPoint]
  return {
    command,
    environment: {
      AMZN_BRAKET_JOB_NAME: jobName,
      AMZN_BRAKET_DEVICE_ARN: deviceConfig?.device ?? '',
      AMZN_BRAKET_HP_FILE: join(config, 'hyperparameters.json'),
      AMZN_BRAKET_INPUT_DIR: join(folder, 'input/data'),
      AMZN_BRAKET_JOB_RESULTS_DIR: results,
      AMZN_BRAKET_CHECKPOINT_DIR: checkpoints,
      AMZN_BRAKET_JOB_RESULTS_S3_PATH: outputDataConfig?.s3Path ?? '',
      AMZN_BRAKET_SCRIPT_S3_URI: s3Uri,
      AMZN_BRAKET_SCRIPT_ENTRY_POINT: entryPoint,
      PYTHONPATH: base,
    },
  }
}

function pathOf(directory: string, uri: string): string {
  if (uri.startsWith('file:')) return fileURLToPath(uri)
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? []
  return join(bucketFolder(directory, bucket), key)
}
