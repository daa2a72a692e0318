import { Construct } from 'constructs'
import type { FunctionName } from '../bundle.ts'
import { pricesOf, type QuenchConfig } from '../config.ts'
import { functionMemoryMiB } from '../function-memory.ts'
import type { BackEnds } from './back-ends.ts'
import type { DispatchMachine } from './dispatch-machine.ts'
import type { DispatchTable } from './dispatch-table.ts'
import { QuenchFunction } from './quench-function.ts'

interface GrantedProps {
  readonly table: DispatchTable
  readonly machine: DispatchMachine
  readonly backEnds: BackEnds
}

interface Size {
  readonly timeoutSeconds: number
  readonly reservedConcurrency?: number
  readonly isLeftAlone?: boolean
}

/** The functions, and what each may do. */
export class Functions extends Construct {
  readonly api: QuenchFunction
  readonly turn: QuenchFunction
  readonly act: QuenchFunction
  readonly cancel: QuenchFunction
  readonly jobEvents: QuenchFunction
  readonly reap: QuenchFunction
  readonly sweep: QuenchFunction
  readonly announce: QuenchFunction

  constructor(scope: Construct, id: string, config: QuenchConfig) {
    super(scope, id)
    const { reservedConcurrency, retention, admins, jwt } = config
    const add = (name: FunctionName, what: string, size: Size) =>
      new QuenchFunction(this, pascal(name), {
        name,
        description: `${name}: ${what}`,
        logRetention: retention.logDays,
        memoryMiB: functionMemoryMiB[name],
        ...size,
      })
    const reserved = (kind: 'act' | 'cancel') =>
      reservedConcurrency ? { reservedConcurrency: reservedConcurrency[kind] } : {}

    // Time-outs: HTTP API waits for 30 s; the state machine for 120 s of a turn and 300 s of an act; a claim's lease is
    // 300 s, which no call in flight may outlast; a sweep is over when the next begins.
    this.api = add('api', 'submits and shows dispatches', { timeoutSeconds: 29 })
    this.cancel = add('cancel', 'cancels and redrives', { timeoutSeconds: 29, ...reserved('cancel') })
    this.turn = add('turn', 'plans what comes next', { timeoutSeconds: 110 })
    this.act = add('act', 'submits, polls and stops jobs', {
      timeoutSeconds: 290,
      isLeftAlone: true,
      ...reserved('act'),
    })
    this.jobEvents = add('job-events', 'notes what back ends tell', { timeoutSeconds: 60 })
    this.reap = add('reap', 'takes up loops that were stopped', { timeoutSeconds: 60 })
    this.sweep = add('sweep', 'finds what was forgotten', { timeoutSeconds: 290 })
    this.announce = add('announce', 'tells the event bus what has changed', { timeoutSeconds: 290 })

    for (const one of [this.api, this.cancel]) {
      one.setVariable('QUENCH_ADMINS', JSON.stringify(admins))
      one.setVariable('QUENCH_GROUPS_CLAIM', jwt?.groupsClaim ?? 'groups')
    }
    for (const one of [this.api, this.cancel, this.turn, this.act])
      one.setVariable('QUENCH_PRICES', JSON.stringify(pricesOf(config)))
  }

  get all(): readonly QuenchFunction[] {
    return [this.api, this.cancel, this.turn, this.act, this.jobEvents, this.reap, this.sweep, this.announce]
  }

  grant({ table, machine, backEnds }: GrantedProps): void {
    const { api, cancel, turn, act, jobEvents, reap, sweep } = this

    table.grantSubmitAndShow(api)
    machine.grantStart(api)
    backEnds.grantShow(api)

    table.grantUse(turn, 'live')
    // A newer epoch whose loop never began; a parent that rests.
    machine.grantStart(turn)
    machine.grantWake(turn)

    // A sublattice's job is a dispatch: to run and stop it takes what api and cancel may.
    table.grantUse(act, 'live', 'byOwnerAndId')
    machine.grantStart(act)
    machine.grantStop(act)
    machine.grantWake(act)
    backEnds.grantRun(act)

    for (const canceller of [cancel, reap, sweep]) {
      table.grantUse(canceller, 'live', 'byOwnerAndId')
      machine.grantStart(canceller)
      machine.grantStop(canceller)
      machine.grantWake(canceller)
      backEnds.grantStop(canceller)
    }

    // A trigger may mean every open dispatch, and so may a person.
    table.grantUse(cancel, 'open')

    table.grantNote(jobEvents)
    machine.grantWake(jobEvents)

    table.grantUse(sweep, 'open')
    machine.grantDescribe(sweep)
  }
}

const pascal = (name: string) => name.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase())
