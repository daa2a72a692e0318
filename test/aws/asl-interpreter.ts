import jsonata from 'jsonata'
import type { TestClock } from './test-clock.ts'

/** A state, as far as the states in use have fields. */
interface State {
  readonly Type: string
  readonly Next?: string
  readonly End?: boolean
  readonly Assign?: object
  readonly Output?: unknown
  readonly Arguments?: object
  readonly Resource?: string
  readonly TimeoutSeconds?: number | string
  readonly Retry?: readonly Retrier[]
  readonly Catch?: readonly Catcher[]
  readonly Choices?: readonly { readonly Condition: string; readonly Next: string }[]
  readonly Default?: string
  readonly Items?: string
  readonly MaxConcurrency?: number
  readonly ItemProcessor?: Machine
}

interface Retrier {
  readonly ErrorEquals: readonly string[]
  readonly IntervalSeconds?: number
  readonly MaxAttempts?: number
  readonly BackoffRate?: number
  readonly MaxDelaySeconds?: number
}

interface Catcher {
  readonly ErrorEquals: readonly string[]
  readonly Output?: unknown
  readonly Next: string
}

export interface Machine {
  readonly StartAt: string
  readonly States: Readonly<Record<string, State>>
}

/** What a state fails with, by the name that `ErrorEquals` matches. */
export class StatesError extends Error {
  readonly error: string

  constructor(error: string, message: string) {
    super(message)
    this.error = error
  }
}

/** The services behind Task states, by what follows `arn:aws:states:::` in their resource. Throw StatesError. */
export type Services = Readonly<Record<string, (args: never, token: string) => Promise<unknown>>>

interface Options {
  readonly clock: TestClock
  readonly services: Services
  /** `$states.context` without the parts that a state adds. */
  readonly context: Readonly<Record<string, unknown>>
  readonly isStopped: () => boolean
  readonly onEvents: (count: number) => void
  /** A state is entered, or tried again: what Step Functions counts as a state transition. */
  readonly onTransition: () => void
  readonly newToken: () => string
  /** From now on, the token is one that can be answered. */
  readonly expect: (token: string, resolve: (output: unknown) => void) => void
}

/** The execution was stopped: nothing catches it. */
export class Stopped extends Error {}

/** Source: API reference, HistoryEvent: what a state writes into the history, without its retries. */
const events = { Pass: 2, Choice: 2, Succeed: 2, Task: 5, TaskWithToken: 6, Map: 4, iteration: 2 }

/**
 * An interpreter of the states in use: Pass, Task, Choice, Map (inline), Succeed, with JSONata, and no others.
 *
 * Source: Amazon States Language specification (states-language.net), "State Types", "Errors", "Data Flow in JSONata";
 * Step Functions developer guide, "Transforming data with JSONata". Time passes on the clock of the test.
 */
export async function interpret(machine: Machine, input: unknown, options: Options): Promise<unknown> {
  return runStates(machine, input, {}, options)
}

type Variables = Record<string, unknown>

async function runStates(machine: Machine, input: unknown, variables: Variables, options: Options): Promise<unknown> {
  let name = machine.StartAt
  let value = input
  for (;;) {
    if (options.isStopped()) throw new Stopped()
    const state = machine.States[name]
    if (!state) throw new StatesError('States.Runtime', `there is no state ${name}`)
    options.onTransition()
    const { output, next } = await runState(state, value, variables, options)
    value = output
    if (next === undefined) return value
    name = next
  }
}

interface Step {
  readonly output: unknown
  readonly next: string | undefined
}

async function runState(state: State, input: unknown, variables: Variables, options: Options): Promise<Step> {
  const scope = (states: object) => ({ variables, states: { input, context: options.context, ...states } })
  /** Assign and Output see the variables as they were when the state was entered. */
  const leave = async (states: object, result: unknown, from: { Assign?: object; Output?: unknown }, next?: string) => {
    const assigned = from.Assign ? await evaluate(from.Assign, scope(states)) : {}
    const output = from.Output === undefined ? result : await evaluate(from.Output, scope(states))
    Object.assign(variables, assigned)
    return { output, next }
  }

  switch (state.Type) {
    case 'Pass':
      options.onEvents(events.Pass)
      return leave({}, input, state, state.Next)
    case 'Succeed':
      options.onEvents(events.Succeed)
      return leave({}, input, state)
    case 'Choice': {
      options.onEvents(events.Choice)
      for (const choice of state.Choices ?? []) {
        const holds = await evaluate(choice.Condition, scope({}))
        if (typeof holds !== 'boolean') throw new StatesError('States.QueryEvaluationError', choice.Condition)
        if (holds) return { output: input, next: choice.Next }
      }
      if (state.Default === undefined) throw new StatesError('States.NoChoiceMatched', 'no choice')
      return { output: input, next: state.Default }
    }
    case 'Task':
    case 'Map': {
      const attempts = new Map<Retrier, number>()
      for (;;) {
        try {
          options.onEvents(attempts.size > 0 ? 3 : events[kindOf(state)])
          const result =
            state.Type === 'Task'
              ? await runTask(state, scope, options)
              : await runMap(state, scope, variables, options)
          return await leave({ result }, result, state, state.End ? undefined : state.Next)
        } catch (error) {
          if (!(error instanceof StatesError)) throw error
          const retrier = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, error))
          const attempt = retrier ? (attempts.get(retrier) ?? 0) : 0
          if (retrier && attempt < (retrier.MaxAttempts ?? 3)) {
            attempts.set(retrier, attempt + 1)
            await options.clock.rest(delaySeconds(retrier, attempt))
            if (options.isStopped()) throw new Stopped()
            options.onTransition()
            continue
          }
          const catcher = state.Catch?.find(({ ErrorEquals }) => matches(ErrorEquals, error))
          if (!catcher) throw error
          const errorOutput = { Error: error.error, Cause: error.message }
          return leave({ errorOutput }, errorOutput, { Output: catcher.Output }, catcher.Next)
        }
      }
    }
    default:
      throw new StatesError('States.Runtime', `the interpreter has no ${state.Type} state`)
  }
}

function kindOf({ Type, Resource }: State): 'Map' | 'Task' | 'TaskWithToken' {
  if (Type === 'Map') return 'Map'
  return Resource?.endsWith('.waitForTaskToken') ? 'TaskWithToken' : 'Task'
}

type Scope = (states: object) => { variables: Variables; states: object }

async function runTask(state: State, scope: Scope, options: Options): Promise<unknown> {
  const { Resource = '', Arguments = {} } = state
  const waits = Resource.endsWith('.waitForTaskToken')
  const name = Resource.replace(/^arn:[^:]+:states:::/, '').replace('.waitForTaskToken', '')
  const service = options.services[name]
  if (!service) throw new StatesError('States.Runtime', `there is no ${name}`)
  const token = options.newToken()
  const { states, variables } = scope({})
  const context = { ...options.context, ...(waits && { Task: { Token: token } }) }
  const inScope = { variables, states: { ...states, context } }
  const args = await evaluate(Arguments, inScope)
  const seconds = await evaluate(state.TimeoutSeconds ?? 99_999_999, inScope)
  if (!Number.isInteger(seconds) || Number(seconds) < 1)
    throw new StatesError('States.QueryEvaluationError', `TimeoutSeconds is ${seconds}`)
  if (!waits) return plain(await service(args as never, token))
  const called = new Promise<unknown>((resolve) => options.expect(token, resolve))
  await service(args as never, token)
  const answer = await options.clock.until(called, Number(seconds))
  if (options.isStopped()) throw new Stopped()
  if (answer === 'timeout') throw new StatesError('States.Timeout', `no callback in ${seconds} seconds`)
  return answer.value
}

async function runMap(state: State, scope: Scope, variables: Variables, options: Options): Promise<unknown> {
  const items = await evaluate(state.Items, scope({}))
  if (!Array.isArray(items)) throw new StatesError('States.QueryEvaluationError', 'Items is no array')
  const results: unknown[] = new Array(items.length)
  const queue = items.entries()
  const worker = async () => {
    for (const [index, value] of queue) {
      options.onEvents(events.iteration)
      const context = { ...options.context, Map: { Item: { Index: index, Value: value } } }
      // Variables of the outer scope can be read inside, and are not changed from there.
      results[index] = await runStates(state.ItemProcessor as Machine, value, { ...variables }, { ...options, context })
    }
  }
  const { clock } = options
  await clock.aside(() => Promise.all(Array.from({ length: state.MaxConcurrency || 40 }, () => clock.busy(worker))))
  return results
}

/** `States.ALL` stands for every error; a time-out is not among the failures of a task. */
function matches(wanted: readonly string[], { error }: StatesError): boolean {
  return wanted.some(
    (one) => one === 'States.ALL' || one === error || (one === 'States.TaskFailed' && error !== 'States.Timeout'),
  )
}

function delaySeconds(
  { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = 31_622_400 }: Retrier,
  attempt: number,
) {
  return Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** attempt)
}

/** Every string in `{% %}`, wherever it stands, by what it evaluates to. */
async function evaluate(template: unknown, scope: { variables: Variables; states: object }): Promise<unknown> {
  if (typeof template === 'string') {
    const [, expression] = /^\{%(.*)%\}$/s.exec(template) ?? []
    if (expression === undefined) return template
    const value = await jsonata(expression)
      .evaluate(undefined, { ...scope.variables, states: scope.states })
      .catch((error: Error) => {
        throw new StatesError('States.QueryEvaluationError', error.message)
      })
    if (value === undefined) throw new StatesError('States.QueryEvaluationError', `${expression} is undefined`)
    return plain(value)
  }
  if (Array.isArray(template)) return Promise.all(template.map((one) => evaluate(one, scope)))
  if (template === null || typeof template !== 'object') return template
  const entries = Object.entries(template).map(async ([key, one]) => [key, await evaluate(one, scope)])
  return Object.fromEntries(await Promise.all(entries))
}

/** What is passed from state to state is JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value))
}
