/**
 * JSON bytes of a script that one command carries. A document has 64 KB, which includes its parameters at runtime
 * (API reference, CreateDocument, `Content`); AWS-RunShellScript itself needs about 1 KB.
 */
export const maxScriptBytes = 60_000

/** What `script` takes of `maxScriptBytes`. */
export const scriptBytes = (script: string): number => Buffer.byteLength(JSON.stringify(script))
