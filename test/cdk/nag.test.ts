import { App } from 'aws-cdk-lib'
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api'
import { AwsSolutionsChecks } from 'cdk-nag'
import { expect, test } from 'vitest'
import { parseConfig } from '../../cdk/config.ts'
import { QuenchStack } from '../../cdk/stack.ts'
import { accepted } from './nag-accepted.ts'
import { fullConfig } from './template.ts'

test('cdk-nag finds nothing in the AWS Solutions pack but what is accepted with a reason', () => {
  const app = new App({ context: { [BUNDLING_STACKS]: [] } })
  const stack = new QuenchStack(app, parseConfig(fullConfig))
  const { violations } = new AwsSolutionsChecks(app).validateScope(stack)
  const found = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath = '' }) => ({ rule: ruleName, path: constructPath })),
  )
  const covers = ({ rule, path }: (typeof accepted)[number], finding: (typeof found)[number]) =>
    rule.test(finding.rule) && path.test(finding.path)
  expect(found.filter((finding) => !accepted.some((one) => covers(one, finding)))).toEqual([])
  expect(accepted.filter((one) => !found.some((finding) => covers(one, finding)))).toEqual([])
})
