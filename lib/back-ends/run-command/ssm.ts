import { SSMClient } from '@aws-sdk/client-ssm'
import { clientOptions } from '../client-options.ts'

/** One client, and its connections, for hosts and clusters. */
export const ssm = new SSMClient(clientOptions)
