import { gunzipSync, gzipSync } from 'node:zlib'
import type { Graph } from '../../domain/graph/graph.ts'

/** DynamoDB items are at most 400 KB, names and keys included. */
const chunkBytes = 350 * 1024

/** A graph as the bodies of its `GRAPH#<n>` items: plain JSON while one item holds it, gzipped chunks above. */
export function graphChunks(graph: Graph): readonly { readonly json?: string; readonly gzip?: Uint8Array }[] {
  const json = JSON.stringify(graph)
  if (Buffer.byteLength(json) <= chunkBytes) return [{ json }]
  const bytes = gzipSync(json)
  return Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, n) => ({
    gzip: bytes.subarray(n * chunkBytes, (n + 1) * chunkBytes),
  }))
}

/** The graph behind its items, given in order. */
export function graphFromChunks(items: readonly Record<string, unknown>[]): Graph {
  const [first] = items
  if (typeof first?.json === 'string') return JSON.parse(first.json)
  return JSON.parse(gunzipSync(Buffer.concat(items.map((item) => item.gzip as Uint8Array))).toString())
}
