import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { SubmitJobCommand } from '@aws-sdk/client-batch'
import { expect, test } from 'vitest'
import { createBatchExecutor } from '../../lib/back-ends/batch/executor.ts'
import type { JobNews } from '../../lib/back-ends/executor.ts'
import { jobName } from '../../lib/domain/job-name.ts'
import type { BatchJobEvent } from '../../lib/emulator/batch/local-batch-job.ts'
import { readHeldNews } from '../../lib/local/held-news.ts'
import { aBatch } from '../emulator/batch/a-batch.ts'

test('a poll and an event of the emulator tell what held a job, and what its end rests on', async () => {
  const events: BatchJobEvent[] = []
  const batch = await aBatch({ onEvent: (event) => events.push(event) })
  const name = jobName({ dispatchId: randomUUID(), taskId: 0, attempt: 1 })
  const { jobId = '' } = await batch.send(
    new SubmitJobCommand({
      jobName: name,
      jobQueue: 'default',
      jobDefinition: 'default',
      containerOverrides: { command: ['true'] },
    }),
  )
  const executor = createBatchExecutor({ batch, submitter: batch, containmentOf: batch.containmentOf })
  const handle = { jobId, jobQueue: 'default', name }
  let [seen] = await executor.poll([handle])
  for (; seen?.state !== 'succeeded'; [seen] = await executor.poll([handle])) await sleep(10)

  const held = batch.containmentOf(jobId)
  expect(held?.evidence?.what).toBeTruthy()
  const evidence = { ...held?.evidence, clock: 'quench' }
  expect(seen).toMatchObject({ containment: held?.containment, evidence })
  const news = events.map((event) => readHeldNews(event, batch.containmentOf)).filter((one): one is JobNews => !!one)
  expect(news.at(-1)?.seen).toMatchObject({ state: 'succeeded', containment: held?.containment, evidence })
})
