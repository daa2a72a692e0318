import { QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'

/** Of every queue: encrypted, and over TLS only. */
export const secureQueue = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true } satisfies QueueProps
