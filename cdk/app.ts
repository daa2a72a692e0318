import { App } from 'aws-cdk-lib'
import { BraketForwardStack } from './braket-forward-stack.ts'
import { forwardedRegions, readConfig } from './config.ts'
import { QuenchStack } from './stack.ts'

/** Usage: `npx cdk deploy --all -c config=FILE`; without a file, the smallest configuration there is. */
const app = new App()
const config = readConfig(app.node.tryGetContext('config'))
const stack = new QuenchStack(app, config)
for (const region of forwardedRegions(config)) {
  new BraketForwardStack(app, `${config.name}-forward-${region}`, {
    description: `Quench: sends the events of Braket in ${region} to ${stack.region}.`,
    env: { ...(config.account !== undefined && { account: config.account }), region },
    homeRegion: stack.region,
    tags: { ...config.tags, 'quench:stack': config.name },
  })
}
