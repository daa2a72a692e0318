/** What AWS charges for, as counted. */
export interface Usage {
  readonly apiRequests: number
  readonly stateTransitions: number
  readonly invocations: number
  readonly gbSeconds: number
  readonly writeUnits: number
  readonly readUnits: number
  readonly queueRequests: number
  readonly busEvents: number
}

export type Unit = keyof Usage

export const noUsage: Usage = {
  apiRequests: 0,
  stateTransitions: 0,
  invocations: 0,
  gbSeconds: 0,
  writeUnits: 0,
  readUnits: 0,
  queueRequests: 0,
  busEvents: 0,
}

/** Something that was counted. */
export interface Counted {
  readonly what: string
  readonly usage: Usage
}
