import { describe, expect, it } from 'vitest'
import { parseJson } from '../../lib/schema/parse-json.ts'

describe('parseJson', () => {
  it('parses, with or without a byte order mark', () => {
    expect(parseJson('{"a":[1]}')).toEqual({ a: [1] })
    expect(parseJson('\uFEFF{"a":[1]}')).toEqual({ a: [1] })
  })

  it.each([
    ['{"a" 1}', "line 1, column 6: Expected ':' after property name"],
    ['{\n  "a": 1\n  "b": 2\n}', "line 3, column 3: Expected ',' or '}' after property value"],
    ['{"a": x}', "line 1, column 7: Unexpected token 'x'"],
    ['{\n"a": [1,\n]}', "line 3, column 1: Unexpected token ']'"],
    ["['a']", "line 1, column 2: Unexpected token '''"],
    [`[${'"x, y",'.repeat(99_999)}nil]`, "line 1, column 699996: Unexpected token 'i'"],
    ['{"a": tru', 'line 1, column 10: Unexpected end'],
    ['["a', 'line 1, column 4: Unterminated string'],
    ['{"a": "x\ny"}', 'line 1, column 9: Bad control character in string literal'],
    ['{} {}', 'line 1, column 4: Unexpected non-whitespace character'],
    [' \n', 'it is empty'],
  ])('says where and why a text is not JSON: $1', (text, message) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ message }))
  })
})
