import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSelector } from '../../../lib/domain/bulk/parse-selector.ts'
import {
  type Candidate,
  matches,
  type Selector,
  selectorProblem,
  writeSelector,
} from '../../../lib/domain/bulk/selector.ts'
import { someTime } from '../../support/builders.ts'

const hourMs = 3_600_000

const aCandidate = (changes: Partial<Candidate> = {}): Candidate => ({
  owner: 'ada',
  name: 'scan',
  tags: { project: 'h2', stage: 'test' },
  status: 'running',
  createdAt: someTime,
  executors: ['batch', 'braket'],
  ...changes,
})

describe('a selector', () => {
  test.each<[string, Selector, Partial<Candidate>, boolean]>([
    ['all', { all: true }, {}, true],
    ['its tag', { tags: { project: 'h2' } }, {}, true],
    ['every one of its tags', { tags: { project: 'h2', stage: 'test' } }, {}, true],
    ['another value of a tag', { tags: { project: 'h2', stage: 'live' } }, {}, false],
    ['a tag that it has not', { tags: { toString: 'h2' } }, {}, false],
    ['its owner', { owner: 'ada' }, {}, true],
    ['another owner', { owner: 'grace' }, {}, false],
    ['its name', { name: 'scan' }, {}, true],
    ['a part of its name', { name: 'sca' }, {}, false],
    ['a back end that it uses', { backend: 'braket' }, {}, true],
    ['a back end that it does not use', { backend: 'ssh' }, {}, false],
    ['something else, while it is being cancelled', { owner: 'ada' }, { status: 'cancelling' }, false],
    ['cancelling, while it is', { status: 'cancelling' }, { status: 'cancelling' }, true],
    ['cancelling, while it runs', { status: 'cancelling' }, {}, false],
    ['its age', { olderThanSeconds: 7200 }, { createdAt: someTime - 2 * hourMs }, true],
    ['a greater age', { olderThanSeconds: 7200 }, { createdAt: someTime - 2 * hourMs + 1 }, false],
    ['two things, of which one is not so', { owner: 'ada', backend: 'ssh' }, {}, false],
  ])('that says %s', (_, selector, changes, expected) => {
    expect(matches(selector, aCandidate(changes), someTime)).toBe(expected)
  })

  test.each([{}, { tags: {} }])('without a condition means nothing: %j', (selector) => {
    expect(selectorProblem(selector)).toMatch(/all:true/)
  })
})

describe('the text of a selector', () => {
  test('has a condition for each field', () => {
    const text = 'tag:project=h2 tag:stage=test owner:me name:"two words" status:running older:1h30m backend:braket'
    expect(parseSelector(text)).toEqual({
      selector: {
        tags: { project: 'h2', stage: 'test' },
        owner: 'me',
        name: 'two words',
        status: 'running',
        olderThanSeconds: 5400,
        backend: 'braket',
      },
    })
    expect(parseSelector('all:true')).toEqual({ selector: { all: true } })
  })

  test('cuts keys at the first colon, and tags at the first =', () => {
    expect(parseSelector('owner:arn:aws:iam::1:user/ada tag:a=b=c tag:empty=')).toEqual({
      selector: { owner: 'arn:aws:iam::1:user/ada', tags: { a: 'b=c', empty: '' } },
    })
  })

  test('is told every problem at once', () => {
    const text =
      'tags:a=b h2 tag:project tag:=x older:2w status:failed owner: all:yes backend:a backend:b tag:a=1 tag:a=1'
    expect(parseSelector(text)).toEqual({
      problems: [
        'tags: there is no such condition, only tag, owner, name, status, older, backend, all',
        'h2: write key:value, such as tag:project=h2',
        'tag: project is not key=value',
        'tag: =x is not key=value',
        'older: 2w is no time such as 90s, 15m, 2h or 1d',
        'status: failed is not running or cancelling; what has ended cannot be cancelled',
        'owner: nothing follows the colon',
        'all: it can only be true, not yes',
        'backend: it is there twice',
        'tag: a is there twice',
      ],
    })
  })

  test.each([
    ['', 'it names no condition: say all:true where every open dispatch is meant'],
    ['  ', 'it names no condition: say all:true where every open dispatch is meant'],
    ['all:true owner:ada', 'all:true stands alone: leave it out, or the other conditions'],
    ['name:"two words', 'a double quote is not closed'],
    [`owner:${'a'.repeat(2000)}`, 'it is longer than 2000 characters'],
  ])('is refused: %j', (text, problem) => {
    expect(parseSelector(text)).toEqual({ problems: [problem] })
  })

  test('may be 2,000 characters long', () => {
    const owner = 'a'.repeat(2000 - 'owner:'.length)
    expect(parseSelector(`owner:${owner}`)).toEqual({ selector: { owner } })
  })

  test('is what writeSelector writes, for any selector', () => {
    const value = fc.string({ minLength: 1, maxLength: 20 })
    const key = value.filter((text) => !text.includes('='))
    const conditions = fc.record(
      {
        tags: fc.dictionary(key, fc.string({ maxLength: 20 }), { minKeys: 1, maxKeys: 3 }),
        owner: value,
        name: value,
        backend: value,
        status: fc.constantFrom('running' as const, 'cancelling' as const),
        olderThanSeconds: fc.nat(999_999_999),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(conditions, fc.constant({ all: true as const })), (selector: Selector) => {
        fc.pre(selectorProblem(selector) === undefined)
        expect(parseSelector(writeSelector(selector))).toEqual({ selector })
      }),
    )
  })
})
