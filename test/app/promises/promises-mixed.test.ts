import { promisesHold } from './promises.ts'

promisesHold(
  'a dispatch cancelled in parts and whole at any moment, crashes included, keeps the promises',
  'mixed',
  250,
)
