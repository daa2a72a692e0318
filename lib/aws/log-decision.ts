/**
 * One line of the log: what was decided, with ids; never events, payloads or command lines.
 *
 * An object, and no text: Lambda's JSON log format puts it under `message` as it is, where metric filters find its
 * fields. Source: Lambda developer guide, "Using Lambda advanced logging controls with Node.js".
 */
export function logDecision(decision: Readonly<Record<string, unknown>>): void {
  console.log(decision)
}
