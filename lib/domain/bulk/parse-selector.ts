import { parseDuration } from '../duration.ts'
import { type Selector, selectableStatuses, selectorProblem } from './selector.ts'

const keys = ['tag', 'owner', 'name', 'status', 'older', 'backend', 'all'] as const

type Draft = { -readonly [Key in keyof Selector]: Selector[Key] }

/** The longest text that is looked at. */
const maxCharacters = 2000

/** In double quotes, in which `\` takes the next character as it is. */
const quoted = /"((?:[^"\\]|\\.)*)"/gs
const word = /(?:[^\s"]|"(?:[^"\\]|\\.)*")+/gs

/**
 * The selector that someone has written: `tag:project=h2 owner:me older:2h`. A value with blanks goes in double quotes.
 *
 * Shape: either a selector, or everything that is wrong with the text.
 */
export function parseSelector(
  text: string,
): { readonly selector: Selector } | { readonly problems: readonly string[] } {
  if (text.length > maxCharacters) return { problems: [`it is longer than ${maxCharacters} characters`] }
  if (text.replaceAll(quoted, '').includes('"')) return { problems: ['a double quote is not closed'] }
  const selector: Draft = {}
  const problems = [...text.matchAll(word)].flatMap(([condition]) => addCondition(selector, condition) ?? [])
  if (problems.length > 0) return { problems }
  const problem = selectorProblem(selector)
  return problem === undefined ? { selector } : { problems: [problem] }
}

/** Gives what is wrong with the condition, if anything is. */
function addCondition(selector: Draft, condition: string): string | undefined {
  const colon = condition.indexOf(':')
  if (colon < 0) return `${condition}: write key:value, such as tag:project=h2`
  const written = condition.slice(0, colon)
  const key = keys.find((one) => one === written)
  if (!key) return `${written}: there is no such condition, only ${keys.join(', ')}`
  const value = unquote(condition.slice(colon + 1))
  if (value === '') return `${key}: nothing follows the colon`
  switch (key) {
    case 'tag':
      return addTag(selector, value)
    case 'owner':
    case 'name':
    case 'backend':
      return setOnce(selector, key, key, value)
    case 'status': {
      const status = selectableStatuses.find((one) => one === value)
      if (!status)
        return `status: ${value} is not ${selectableStatuses.join(' or ')}; what has ended cannot be cancelled`
      return setOnce(selector, 'status', key, status)
    }
    case 'older': {
      const seconds = parseDuration(value)
      if (seconds === undefined) return `older: ${value} is no time such as 90s, 15m, 2h or 1d`
      return setOnce(selector, 'olderThanSeconds', key, seconds)
    }
    case 'all':
      return value === 'true' ? setOnce(selector, 'all', key, true) : `all: it can only be true, not ${value}`
    default:
      return key satisfies never
  }
}

function addTag(selector: Draft, text: string): string | undefined {
  const cut = text.indexOf('=')
  if (cut < 1) return `tag: ${text} is not key=value`
  const key = text.slice(0, cut)
  if (Object.hasOwn(selector.tags ?? {}, key)) return `tag: ${key} is there twice`
  selector.tags = { ...selector.tags, [key]: text.slice(cut + 1) }
  return undefined
}

function setOnce<Key extends keyof Draft>(
  selector: Draft,
  key: Key,
  condition: string,
  value: Draft[Key],
): string | undefined {
  if (selector[key] !== undefined) return `${condition}: it is there twice`
  selector[key] = value
  return undefined
}

function unquote(written: string): string {
  return written.replaceAll(quoted, (_, inner: string) => inner.replaceAll(/\\(.)/gs, '$1'))
}
