import type { Caller } from '../app/caller.ts'
import { Forbidden } from '../domain/errors.ts'
import { httpEvent } from '../schema/lambda.ts'
import type { Admins } from './config.ts'

interface IdentifyOptions {
  readonly admins: Admins
  /** The claim of a JWT that holds groups. */
  readonly groupsClaim: string
}

/**
 * Who sends a request, from what API Gateway's authoriser found out.
 *
 * IAM: the ARN, for a role with its session: people of one role who sign in under their own names are different owners.
 * JWT: the subject. Whoever is named as admin, by ARN (of the role for all of its sessions), subject or group, is one.
 * Errors: Forbidden where no authoriser has let the request through.
 */
export function identify(event: unknown, { admins, groupsClaim }: IdentifyOptions): Caller {
  const { data } = httpEvent.safeParse(event)
  const { iam, jwt } = data?.requestContext.authorizer ?? {}
  if (iam) {
    const { userArn } = iam
    return { id: userArn, isAdmin: isListed(admins, [userArn, roleArnOf(userArn)]) }
  }
  const subject = jwt?.claims.sub
  if (typeof subject !== 'string' || subject === '') throw new Forbidden('nobody has signed this request')
  const groups = groupsOf(jwt?.claims[groupsClaim])
  const isInGroup = groups.some((group) => admins.groups.includes(group))
  return { id: subject, isAdmin: isInGroup || isListed(admins, [subject]) }
}

function isListed({ principals }: Admins, names: readonly (string | undefined)[]): boolean {
  return names.some((name) => name !== undefined && principals.some((listed) => withoutPath(listed) === name))
}

/** `arn:aws:sts::1:assumed-role/Name/session` is a session of `arn:aws:iam::1:role/Name`, which has lost its path. */
function roleArnOf(arn: string): string | undefined {
  const [, partition, account, name] = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? []
  return name === undefined ? undefined : `arn:${partition}:iam::${account}:role/${name}`
}

function withoutPath(arn: string): string {
  return arn.replace(/^(arn:[^:]+:iam::\d+:role\/)(?:[^/]+\/)+/, '$1')
}

/**
 * API Gateway writes a list as `[one two]`. A group with a space in its name looks like two: do not let people who are
 * no admins make groups of their own.
 */
function groupsOf(claim: unknown): readonly string[] {
  if (Array.isArray(claim)) return claim.map(String)
  if (typeof claim !== 'string') return []
  return claim
    .replace(/^\[(.*)\]$/, '$1')
    .split(/[\s,]+/)
    .filter((group) => group !== '')
}
