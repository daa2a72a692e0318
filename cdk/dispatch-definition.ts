import { keys } from '../lib/store/dynamo/items.ts'

interface DispatchMachine {
  readonly turnArn: string
  readonly actArn: string
  readonly tableName: string
  /** Of the machine itself, which hands long dispatches over to itself. */
  readonly stateMachineArn: string
  /** Of the ARNs of the services. Default `aws`. */
  readonly partition?: string
}

/**
 * The most history events that a state may write in one pass, its retries included; a Turn stands for the Choice and
 * the Rest that follow it as well. Source: Step Functions API reference, HistoryEvent.
 *
 * Turn: entered, scheduled, started, succeeded, exited, and 3 a retry; Choice 2; Map 4; Rest: 6, and 3 a retry.
 * Act: MapIterationStarted, the 5 of a Task, MapIterationSucceeded, 3 a retry, 2 of the state after a failure.
 */
export const historyEvents = { turn: 5 + 8 * 3 + 2 + 4 + 6 + 3 * 3, act: 7 + 2 * 3 + 2 } as const

/** Source: Step Functions developer guide, "Map state": at most 40 iterations of an inline Map run side by side. */
const actsAtOnce = 10

/**
 * Only submits of single tasks are waited for: a turn would plan those again that are not claimed yet. Kills, polls and searches go
 * on by themselves, so that none waits for another that hangs (`docs/decisions/0008-acts-are-not-waited-for.md`); of two
 * submits of a pack, the one that claims its first member goes on.
 *
 * Source: Lambda API reference, Invoke, InvocationType.
 */
const isAwaited = "($states.input.kind = 'submit' and $not($exists($states.input.pack)))"

/** An expression of JSONata, as the Amazon States Language wraps it. */
const jsonata = (expression: string) => `{% ${expression} %}`
const input = (field: string) => `$states.context.Execution.Input.${field}`

/**
 * The state machine of a dispatch: turn, act, rest, until the dispatch has ended. The loop of `lib/local/loop.ts`, in
 * the Amazon States Language.
 *
 * Input: `{ dispatchId, epoch, generation }`, under the execution name `<dispatchId>-<epoch>-<generation>`.
 * Acts that are not waited for tell of what they did by waking the loop; one that is lost is planned again.
 * What each step leaves when it fails: a Turn is repeated for some minutes, then the execution fails, and `reap` or
 * `sweep` starts the next generation. A failing Act costs its own work only: the turns that follow plan it again. A
 * Rest that fails, times out, or finds that there has been news since the Turn leads to the next Turn.
 * The machine hands over to the next generation when the Turn, which is told how much history there may be, says so:
 * before a plan is made, so that no action is lost.
 */
export function dispatchDefinition({
  turnArn,
  actArn,
  tableName,
  stateMachineArn,
  partition = 'aws',
}: DispatchMachine) {
  const integration = (name: string) => `arn:${partition}:states:::${name}`
  const dispatchInput = {
    dispatchId: jsonata(input('dispatchId')),
    epoch: jsonata(input('epoch')),
    generation: jsonata(input('generation')),
  }
  return {
    Comment: 'Runs one dispatch of Quench: turn, act, rest.',
    QueryLanguage: 'JSONata',
    StartAt: 'Begin',
    States: {
      Begin: { Type: 'Pass', Assign: { events: 0 }, Next: 'Turn' },

      Turn: {
        Type: 'Task',
        Resource: integration('lambda:invoke'),
        Arguments: { FunctionName: turnArn, Payload: { ...dispatchInput, events: jsonata('$events') } },
        TimeoutSeconds: 120,
        Retry: [retry({ errors: ['States.ALL'], attempts: 8, firstSeconds: 1 })],
        Assign: {
          events: jsonata(
            `$events + ${historyEvents.turn} + ${historyEvents.act} * $count($states.result.Payload.actions)`,
          ),
        },
        Output: jsonata('$states.result.Payload'),
        Next: 'What now?',
      },

      'What now?': {
        Type: 'Choice',
        Choices: [
          { Condition: jsonata('$states.input.finished'), Next: 'Done' },
          { Condition: jsonata('$states.input.handOver'), Next: 'Hand over' },
          { Condition: jsonata('$count($states.input.actions) > 0'), Next: 'Act' },
        ],
        Default: 'Rest',
      },

      Act: {
        Type: 'Map',
        Items: jsonata('$states.input.actions'),
        MaxConcurrency: actsAtOnce,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Do',
          States: {
            Do: {
              Type: 'Task',
              Resource: integration('lambda:invoke'),
              Arguments: {
                FunctionName: actArn,
                InvocationType: jsonata(`${isAwaited} ? 'RequestResponse' : 'Event'`),
                Payload: { dispatchId: jsonata(input('dispatchId')), action: jsonata('$states.input') },
              },
              // Longer than the function may take, so that its retry does not run beside it.
              TimeoutSeconds: 300,
              Retry: [retry({ errors: lambdaIsBusy, attempts: 2, firstSeconds: 1 })],
              Catch: [{ ErrorEquals: ['States.ALL'], Output: {}, Next: 'Left for later' }],
              Output: {},
              End: true,
            },
            'Left for later': { Type: 'Succeed' },
          },
        },
        Output: jsonata('$states.input'),
        Next: 'Rest',
      },

      Rest: {
        Type: 'Task',
        Resource: integration('aws-sdk:dynamodb:updateItem.waitForTaskToken'),
        Arguments: {
          TableName: tableName,
          Key: { pk: { S: jsonata(`'${keys.partition('')}' & ${input('dispatchId')}`) }, sk: { S: keys.wake('').sk } },
          UpdateExpression: 'SET #token = :token',
          // News since the Turn has raised seq; a newer execution has put its own name here.
          ConditionExpression: 'seq = :seq AND epoch = :epoch AND generation = :generation',
          ExpressionAttributeNames: { '#token': 'token' },
          ExpressionAttributeValues: {
            ':token': { S: jsonata('$states.context.Task.Token') },
            ':seq': { N: jsonata('$string($states.input.seq)') },
            ':epoch': { N: jsonata(`$string(${input('epoch')})`) },
            ':generation': { N: jsonata(`$string(${input('generation')})`) },
          },
        },
        TimeoutSeconds: jsonata('$states.input.waitSeconds'),
        Retry: [
          { ErrorEquals: ['States.Timeout', 'DynamoDb.ConditionalCheckFailedException'], MaxAttempts: 0 },
          retry({ errors: ['States.ALL'], attempts: 3, firstSeconds: 1 }),
        ],
        Catch: [{ ErrorEquals: ['States.ALL'], Output: {}, Next: 'Turn' }],
        Output: {},
        Next: 'Turn',
      },

      'Hand over': {
        Type: 'Task',
        Resource: integration('aws-sdk:sfn:startExecution'),
        Arguments: {
          StateMachineArn: stateMachineArn,
          Name: jsonata(`${input('dispatchId')} & '-' & ${input('epoch')} & '-' & (${input('generation')} + 1)`),
          // As `sfn-executions.ts` writes it: the same name with another input would be refused.
          Input: jsonata(
            `$string({'dispatchId': ${input('dispatchId')}, 'epoch': ${input('epoch')}, 'generation': ${input('generation')} + 1})`,
          ),
        },
        Retry: [
          { ErrorEquals: [alreadyStarted], MaxAttempts: 0 },
          retry({ errors: ['States.ALL'], attempts: 8, firstSeconds: 1 }),
        ],
        Catch: [{ ErrorEquals: [alreadyStarted], Output: {}, Next: 'Done' }],
        Output: {},
        Next: 'Done',
      },

      Done: { Type: 'Succeed', Output: {} },
    },
  } as const
}

const alreadyStarted = 'Sfn.ExecutionAlreadyExistsException'

/** Source: Step Functions developer guide, "Best practices: handle transient Lambda service exceptions". */
const lambdaIsBusy = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
]

/** Full jitter: a crowd of executions that failed together does not come back together. */
function retry({ errors, attempts, firstSeconds }: { errors: string[]; attempts: number; firstSeconds: number }) {
  return {
    ErrorEquals: errors,
    IntervalSeconds: firstSeconds,
    MaxAttempts: attempts,
    BackoffRate: 2,
    MaxDelaySeconds: 60,
    JitterStrategy: 'FULL',
  }
}
