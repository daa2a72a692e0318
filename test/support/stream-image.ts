import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** An item as Lambda gives it to a function that reads a stream: JSON, with base64 for bytes. */
export function streamImage(item: Readonly<Record<string, AttributeValue>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(item, withoutBytes))
}

function withoutBytes(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
