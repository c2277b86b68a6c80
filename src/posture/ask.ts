/** Asks AWS what is recorded and what is let through: accounts and regions, one after the other. */

import { AwsError } from '../aws/errors.ts'
import { type AwsNetwork, describeNetwork, enabledRegions, ownRegion, type Refused } from '../aws/network.ts'
import type { AwsOptions } from '../aws/options.ts'
import type { RulesText } from '../controls/controls.ts'
import { coverage } from './coverage.ts'
import { flowLogOf } from './flow-logs.ts'
import {
  type CoveredResource,
  coverStates,
  type Posture,
  type PostureFlowLog,
  type PosturePlace,
  type PostureUnknown,
  resourceKinds,
  type StateCounts,
} from './posture.ts'
import { rulesTexts } from './rules-texts.ts'

export interface PostureOptions {
  aws: AwsOptions
  /** Regions; `all`: every one that is enabled in the account. None: the one that the AWS tools would ask. */
  regions: readonly string[]
  /** Roles to take on one after the other, an account each; none: that of `aws`. */
  roles: readonly string[]
  signal: AbortSignal
  /** Told before each place. */
  onPlace?: (region: string, role: string | null) => void
}

export interface AskedPosture {
  posture: Posture
  /** Groups, network ACLs and what they are attached to, as AWS's commands print them. */
  rules: RulesText[]
}

/** Resources and flow logs that are listed. */
const listedMost = 1000

/** @throws AwsError where AWS told nothing at all; UserError for options that cannot be meant, and where a package is missing. */
export async function askPosture({ aws, regions, roles, signal, onPlace }: PostureOptions): Promise<AskedPosture> {
  const asked: { place: PosturePlace; network: AwsNetwork }[] = []
  for (const role of roles.length > 0 ? roles : [aws.roleArn ?? null]) {
    const own = { ...aws, ...(role !== null && { roleArn: role }) }
    for (const region of await regionsOf(own, regions, signal)) {
      onPlace?.(region, role)
      const network = await describeNetwork({ ...own, region }, signal)
      asked.push({ place: placeOf(network, region, role), network })
    }
  }
  requireAnswer(asked.map(({ network }) => network))
  const found = asked.map(({ place, network }) => {
    const logs = network.flowLogs.items?.map(one => flowLogOf(one, at(place))) ?? null
    return { logs: logs ?? [], resources: coverage(network, at(place), logs), unknown: unknownOf(network, place) }
  })
  return {
    posture: postureOf(
      asked.map(({ place }) => place),
      found.flatMap(({ resources }) => resources),
      found.flatMap(({ logs }) => logs),
      found.flatMap(({ unknown }) => unknown),
    ),
    rules: asked.flatMap(({ place, network }) => rulesTexts(network, at(place))),
  }
}

async function regionsOf(aws: AwsOptions, named: readonly string[], signal: AbortSignal): Promise<string[]> {
  if (named.includes('all')) return enabledRegions(aws, signal)
  return named.length > 0 ? [...new Set(named)] : [await ownRegion(aws)]
}

function at({ account, region }: PosturePlace): Pick<PosturePlace, 'account' | 'region'> {
  return { account, region }
}

function placeOf(network: AwsNetwork, region: string, role: string | null): PosturePlace {
  const { account, vpcs, subnets, interfaces, flowLogs, groups, acls } = network
  return {
    ...{ account, region, role },
    vpcs: vpcs.items?.length ?? null,
    subnets: subnets.items?.length ?? null,
    interfaces: interfaces.items?.length ?? null,
    flow_logs: flowLogs.items?.length ?? null,
    security_groups: groups.items?.length ?? null,
    network_acls: acls.items?.length ?? null,
  }
}

const refusals = /^(AccessDenied(Exception)?|UnauthorizedOperation|Forbidden|HTTP 403)$/

/** @throws AwsError where not one list was told. */
function requireAnswer(networks: readonly AwsNetwork[]): void {
  const lists = networks.flatMap(({ vpcs, subnets, interfaces, flowLogs, groups, acls }) => [
    ...[vpcs, subnets, interfaces, flowLogs, groups, acls],
  ])
  const refused = lists.flatMap(one => one.refused ?? [])
  const [first] = refused
  if (first === undefined || refused.length < lists.length) return
  const { error } = first
  const rights = [...new Set(refused.map(({ right }) => right))].join(', ')
  const isRefused = refused.every(one => refusals.test(one.error.code)) && !/sts:AssumeRole/.test(error.hint ?? '')
  if (!isRefused) throw error
  throw new AwsError('cannot ask EC2 what is recorded: access denied', `the role needs ${rights}`, error)
}

function unknownOf({ account, refused }: AwsNetwork, { region }: PosturePlace): PostureUnknown[] {
  const whose: PostureUnknown = {
    ...{ account, region, what: 'account', right: 'sts:GetCallerIdentity' },
    problem: 'whose credentials these are is not told: flow logs of other owners of a shared VPC would not be shown',
  }
  return [...(account === null ? [whose] : []), ...refused.map(one => unknown(one, account, region))]
}

function unknown({ what, right, error }: Refused, account: string | null, region: string): PostureUnknown {
  const isRight = refusals.test(error.code)
  const problem = isRight ? 'access denied' : error.message.replace(/^cannot [^:]*: /, '')
  return { account, region, what, right: isRight ? right : null, problem }
}

function postureOf(
  places: PosturePlace[],
  resources: readonly CoveredResource[],
  logs: readonly PostureFlowLog[],
  unknown: PostureUnknown[],
): Posture {
  const gaps = resources.filter(({ state }) => state !== 'good')
  const isFaulty = (log: PostureFlowLog): number => (log.faults.length > 0 ? 0 : 1)
  return {
    asked_at: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    places,
    resources: {
      vpc: countsOf(resources, 'vpc'),
      subnet: countsOf(resources, 'subnet'),
      interface: countsOf(resources, 'interface'),
    },
    gaps: gaps.sort(graver).slice(0, listedMost),
    gaps_total: gaps.length,
    flow_logs: [...logs].sort((a, b) => isFaulty(a) - isFaulty(b)).slice(0, listedMost),
    flow_logs_total: logs.length,
    unknown,
  }
}

function graver(a: CoveredResource, b: CoveredResource): number {
  return (
    Number(a.as_around) - Number(b.as_around) ||
    resourceKinds.indexOf(a.what) - resourceKinds.indexOf(b.what) ||
    coverStates.indexOf(a.state) - coverStates.indexOf(b.state)
  )
}

function countsOf(resources: readonly CoveredResource[], what: CoveredResource['what']): StateCounts {
  const counts: StateCounts = { total: 0, without: 0, failing: 0, partial: 0, unknown: 0, good: 0 }
  for (const one of resources) {
    if (one.what !== what) continue
    counts.total++
    counts[one.state]++
  }
  return counts
}
