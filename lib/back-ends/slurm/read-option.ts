import { type SbatchOption, sbatchOptionTable } from './sbatch-options.ts'

/** An option of sbatch as somebody wrote it, read; or why Quench does not take it. */
export type ReadOption = { readonly option: SbatchOption; readonly value?: string } | { readonly problem: string }

const heterogeneous =
  'heterogeneous jobs are not taken: make each component a task of its own, or start the parts with srun in one job'

/**
 * Reads `--key`, `--key=value`, `--key value`, `-k`, `-kvalue` or `-k value`; a long key may be cut where it is still the only
 * one that begins like that, as getopt_long(3) has it.
 */
export function readOption(text: string): ReadOption {
  if (/^(:|hetjob|packjob)$/.test(text)) return { problem: heterogeneous }
  const long = /^--([a-z0-9-]+)(?:(?:=|\s+)(.*))?$/.exec(text)
  const short = /^-([a-zA-Z])\s*(.*)$/.exec(text)
  if (!long && !short) return { problem: 'must be an option of sbatch: --key, --key=value, -k or -k value' }
  const found = long ? byKey(long[1] ?? '') : byShort(short?.[1] ?? '')
  if ('problem' in found) return found
  const value = long ? long[2] : short?.[2] || undefined
  return check(found.option, value)
}

function byKey(key: string): ReadOption {
  const exact = sbatchOptionTable.find((one) => one.key === key)
  if (exact) return { option: exact }
  const candidates = sbatchOptionTable.filter((one) => one.key.startsWith(key))
  const [only] = candidates
  if (only && candidates.length === 1) return { option: only }
  if (!only) return { problem: `sbatch has no option --${key} that Quench knows` }
  return { problem: `--${key} may be ${candidates.map((one) => `--${one.key}`).join(', ')}` }
}

function byShort(letter: string): ReadOption {
  const option = sbatchOptionTable.find(({ short }) => short === letter)
  return option ? { option } : { problem: `sbatch has no option -${letter} that Quench knows` }
}

function check(option: SbatchOption, value: string | undefined): ReadOption {
  const { key, rule } = option
  if ('refused' in rule) return { problem: `--${key} is not taken: ${rule.refused}` }
  if (option.value === 'none' && value !== undefined) return { problem: `--${key} takes no value` }
  if (option.value === 'required' && !value) return { problem: `--${key} needs a value` }
  if ((key === 'bbf' || key === 'nodefile') && !value?.startsWith('/'))
    return { problem: `--${key} must be an absolute path on the login node` }
  if (key === 'dependency' && /\bsingleton\b/.test(value ?? ''))
    return {
      problem: '--dependency=singleton is not taken: every job has a name of its own; let tasks need each other',
    }
  return { option, ...(value !== undefined && { value }) }
}

/**
 * The options in the `#SBATCH` lines at the head of a command: what sbatch reads of a script, up to the first line that is
 * neither empty nor a comment. Each as `readOption` takes it.
 */
export function headerOptions(command: string): readonly string[] {
  const options: string[] = []
  for (const line of command.split('\n')) {
    const text = line.trim()
    if (text !== '' && !text.startsWith('#')) break
    if (!text.startsWith('#SBATCH')) continue
    for (const word of words(text.slice('#SBATCH'.length))) {
      if (word.startsWith('-') || word === ':' || options.length === 0 || /^(het|pack)job$/.test(word))
        options.push(word)
      else options.push(`${options.pop() ?? ''} ${word}`)
    }
  }
  return options
}

/** Words as sbatch splits them: quotes hold a word together, and a `#` outside of them begins a comment. */
function words(text: string): readonly string[] {
  const found: string[] = []
  for (const [word] of text.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g)) {
    if (word.startsWith('#')) break
    found.push(
      word.replaceAll(
        /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g,
        (_, double, single, one) => single ?? one ?? double?.replaceAll(/\\(.)/g, '$1') ?? '',
      ),
    )
  }
  return found
}
