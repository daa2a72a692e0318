import {
  array,
  boolean,
  coerce,
  discriminatedUnion,
  enum as enumOf,
  instanceof as instanceOf,
  int,
  iso,
  json,
  literal,
  looseObject,
  NEVER,
  number,
  object,
  record,
  strictObject,
  string,
  union,
  unknown,
  ZodError,
} from '../../node_modules/zod/index.js'

/**
 * What our schemas use of zod, in the place of `zod` in bundles. As a namespace, all of zod comes along (its 50 languages
 * are 300 KB): esbuild cannot see which members of `z` are used. A test compares with the sources.
 */
export const z = {
  array,
  boolean,
  coerce,
  discriminatedUnion,
  enum: enumOf,
  instanceof: instanceOf,
  int,
  iso,
  json,
  literal,
  looseObject,
  NEVER,
  number,
  object,
  record,
  strictObject,
  string,
  union,
  unknown,
  ZodError,
}
