import { describe, expect, test } from 'vitest'
import { createDescribeInstance } from '../../../lib/back-ends/run-command/describe-instance.ts'
import { explainAbsence } from '../../../lib/back-ends/run-command/host-absence.ts'

const described = (state: string) =>
  `<?xml version="1.0"?><DescribeInstancesResponse><reservationSet><item><instancesSet><item>
   <instanceId>i-1</instanceId><instanceState>
     <code>48</code>
     <name>${state}</name>
   </instanceState><privateDnsName/></item></instancesSet></item></reservationSet></DescribeInstancesResponse>`
const refused = (code: string) =>
  `<?xml version="1.0"?><Response><Errors><Error><Code>${code}</Code><Message>no</Message></Error></Errors></Response>`

/** EC2 with one answer, and the request that it got. */
function anEc2(body: string, status = 200, region = 'eu-west-2') {
  const asked: { url: string; init: RequestInit }[] = []
  const config = {
    region: async () => region,
    credentials: async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' }),
  }
  const describeInstance = createDescribeInstance({
    ssm: { config } as never,
    fetch: async (url, init) => {
      asked.push({ url: String(url), init: init as RequestInit })
      return new Response(body, { status })
    },
  })
  return { describeInstance, asked }
}

describe('the state of an instance', () => {
  test('is asked of EC2 in the Region of Systems Manager, by a signed call', async () => {
    const { describeInstance, asked } = anEc2(described('terminated'))
    expect(await describeInstance('i-1')).toBe('terminated')
    expect(asked[0]?.url).toBe('https://ec2.eu-west-2.amazonaws.com/')
    expect(asked[0]?.init).toMatchObject({
      method: 'POST',
      body: 'Action=DescribeInstances&Version=2016-11-15&InstanceId.1=i-1',
      headers: {
        authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-2\/ec2\//),
        'x-amz-security-token': 'token',
      },
    })
  })

  test('is asked in China at its own address', async () => {
    const { describeInstance, asked } = anEc2(described('running'), 200, 'cn-north-1')
    await describeInstance('i-1')
    expect(asked[0]?.url).toBe('https://ec2.cn-north-1.amazonaws.com.cn/')
  })

  test('is none where EC2 has forgotten it', async () => {
    expect(await anEc2(refused('InvalidInstanceID.NotFound'), 400).describeInstance('i-1')).toBe('none')
  })

  test.each([
    ['a refusal', refused('UnauthorizedOperation'), 403],
    ['a failure', 'oh', 503],
    ['an empty answer', '<DescribeInstancesResponse/>', 200],
    ['a NotFound without the status of one', refused('InvalidInstanceID.NotFound'), 200],
  ])('is not known after %s', async (_, body, status) => {
    await expect(anEc2(body, status).describeInstance('i-1')).rejects.toThrow(/DescribeInstances/)
  })
})

describe('a host that takes no scripts', () => {
  const at = new Date('2026-11-27T10:00:00Z')
  const absence = (id: string, state: string | Error, info: readonly object[] | Error) => {
    const send = async () => {
      if (info instanceof Error) throw info
      return { InstanceInformationList: info }
    }
    const describeInstance = async () => {
      if (state instanceof Error) throw state
      return state
    }
    return explainAbsence({ ssm: { send: send as never }, describeInstance }, id, undefined)
  }

  test.each([
    ['terminated', 'i-1', 'terminated', [], 'gone', /^i-1 was terminated$/],
    ['forgotten by EC2', 'i-1', 'none', [], 'gone', /no instance i-1 any more/],
    ['stopped, which may be hibernating', 'i-1', 'stopped', [], 'away', /^i-1 is stopped$/],
    ['on its way down', 'i-1', 'shutting-down', [], 'away', /shutting-down/],
    [
      'running without its agent',
      'i-1',
      'running',
      [{ PingStatus: 'ConnectionLost', LastPingDateTime: at }],
      'away',
      /ConnectionLost in Systems Manager, which heard from it last at 2026-11-27T10:00:00.000Z/,
    ],
    ['no instance of EC2', 'mi-1', 'none', [{ PingStatus: 'Inactive' }], 'away', /Inactive/],
    ['not listed', 'mi-1', 'none', [], 'away', /not connected/],
    ['one that nobody may be asked about', 'i-1', new Error('denied'), new Error('denied'), 'away', /not connected/],
  ] as const)('%s', async (_, id, state, info, kind, message) => {
    expect(await absence(id, state, info)).toEqual({ kind, message: expect.stringMatching(message) })
  })
})
