/** Dispatch ids (RFC 9562 UUIDs) at 16 bytes each: 10,000 of them are 160 KB, and an item of DynamoDB holds 400. */
export function packIds(ids: readonly string[]): Uint8Array {
  return Buffer.from(ids.map((id) => id.replaceAll('-', '')).join(''), 'hex')
}

export function unpackIds(bytes: Uint8Array): readonly string[] {
  const hex = Buffer.from(bytes).toString('hex')
  return (hex.match(/.{32}/g) ?? []).map((id) => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))
}
