import { describe } from 'vitest'
import { aJobSpec, describeExecutor } from '../contracts/executor-contract.ts'
import { aHandle, startClusters, whyNoSlurm } from '../support/slurm-cluster.ts'

const reason = whyNoSlurm()
const commands = { quick: 'true', failing: 'exit 3', long: 'sleep 300', queued: 'sleep 300' }

describe.skipIf(reason)(`a Slurm cluster${reason === undefined ? '' : `: ${reason}`}`, () => {
  describeExecutor('slurm', {
    adopts: true,
    forestalls: true,
    queues: true,
    packs: true,
    start: async () => {
      const { scratch, faults, executor, stop } = await startClusters()
      return {
        executor,
        job: (kind) => {
          const extra = kind === 'queued' ? ['--begin=now+1hour'] : []
          return aJobSpec({ options: { cluster: 'main', command: commands[kind], extra } })
        },
        script: (text) => ({ cluster: 'main', command: text }),
        unknownHandles: (calls) => (calls === 1 ? [aHandle('main')] : [aHandle('main'), aHandle('second')]),
        countLive: scratch.countLive,
        stop,
        calls: { faults, submit: 'SendCommand', poll: 'SendCommand', cancel: 'SendCommand' },
      }
    },
  })
})
