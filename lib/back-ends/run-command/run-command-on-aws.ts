import { SSMClient } from '@aws-sdk/client-ssm'
import { clientOptions } from '../client-options.ts'
import { createDescribeInstance } from './describe-instance.ts'
import type { RunCommand } from './run-command.ts'

/** One client, and its connections, for hosts and clusters. */
const ssm = new SSMClient(clientOptions)

export const runCommandOnAws: RunCommand = { ssm, describeInstance: createDescribeInstance({ ssm }) }
