/** What it takes to run scripts on machines, and to ask what has become of one that takes none. */
export const runCommandActions = [
  'ssm:SendCommand',
  'ssm:GetCommandInvocation',
  'ssm:DescribeInstanceInformation',
  'ec2:DescribeInstances',
] as const
