import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, buildSync, type Metafile } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The functions of `functions/`, one file each. */
export type FunctionName = 'api' | 'turn' | 'act' | 'cancel' | 'job-events' | 'reap' | 'sweep' | 'announce'

/**
 * How a function is bundled: the SDK included, so that what is deployed is what was tested.
 *
 * `keepNames`: errors are told by their class names.
 * The banner: what is CommonJS in the dependencies calls `require` for Node's own modules. Its names must not be ones that
 * minifying gives.
 */
const options = {
  bundle: true,
  minify: true,
  keepNames: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: root,
  metafile: true,
  alias: {
    zod: join(root, 'cdk/lean/zod.ts'),
    '@aws-sdk/credential-provider-node': join(root, 'cdk/lean/credential-provider-node.ts'),
    bowser: join(root, 'cdk/lean/bowser.ts'),
  },
  // SDK clients that are loaded when they are needed stay files of their own until then.
  splitting: true,
  outExtension: { '.js': '.mjs' },
  banner: {
    js: "import{createRequire as createBundleRequire}from'node:module';const require=createBundleRequire(import.meta.url);",
  },
} as const satisfies BuildOptions

/** Bundle a function into a folder, as `index.mjs` and what that imports. Works offline and without Docker. */
export function bundleFunction(name: FunctionName, outputDirectory: string): Metafile {
  const { metafile } = buildSync({
    ...options,
    entryPoints: { index: join(root, 'functions', `${name}.ts`) },
    outdir: outputDirectory,
  })
  return metafile
}
