import { promisesHold } from './promises.ts'

promisesHold('a dispatch cancelled whole at any moment, crashes included, keeps the promises', 'whole', 350)
