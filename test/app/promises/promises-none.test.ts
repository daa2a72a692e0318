import { promisesHold } from './promises.ts'

promisesHold('a dispatch that nobody cancels ends by itself, crashes included', 'none', 100)
