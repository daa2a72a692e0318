/** Real Batch sets it too; here it is also how the processes of a job are told from all others. */
export const jobVariable = 'AWS_BATCH_JOB_ID'
