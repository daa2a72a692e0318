import { promisesHold } from './promises.ts'

promisesHold('a dispatch cancelled in parts at any moment, crashes included, keeps the promises', 'parts', 350)
