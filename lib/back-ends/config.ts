import { batchConfig } from './batch/config.ts'
import { braketConfig } from './braket/config.ts'
import { clustersConfig } from './slurm/config.ts'
import { hostsConfig } from './ssh/config.ts'

/** What is configured of all back ends, by field; what of it there is not, nobody can use. */
export const backEndsConfig = { ...batchConfig, ...braketConfig, ...hostsConfig, ...clustersConfig }
