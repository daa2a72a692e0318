import { composeAws } from '../lib/aws/compose.ts'
import { readConfig } from '../lib/aws/config.ts'
import { takeTurn } from '../lib/aws/executions/take-turn.ts'
import { handle } from '../lib/aws/handler.ts'
import { turnRequest } from '../lib/schema/lambda.ts'

const { context, wake } = composeAws(readConfig('turn'))

/** Called by the state machine: plan what is next for a dispatch. */
export const handler = handle('turn', (event: unknown) => takeTurn(context, wake, turnRequest.parse(event)))
