/** Asks AWS what is recorded and what is let through: accounts and regions, one after the other. */

import { setMaxListeners } from 'node:events'
import { AwsError } from '../aws/errors.ts'
import { type AwsNetwork, describeNetwork, enabledRegions, ownRegion, type Refused, type Told } from '../aws/network.ts'
import type { AwsOptions } from '../aws/options.ts'
import type { RulesText } from '../controls/controls.ts'
import { coverage, type View } from './coverage.ts'
import { flowLogOf, type Place } from './flow-logs.ts'
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
import { together } from './together.ts'

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
  /** Why the rules cannot be tried; null: they can. */
  untried: string | null
}

/** Resources and flow logs that are listed. */
const listedMost = 1000

/** @throws AwsError where AWS told nothing at all; UserError for options that cannot be meant, and where a package is missing. */
export async function askPosture(options: PostureOptions): Promise<AskedPosture> {
  const { asked, failures } = await askAll(options)
  requireAnswer(
    asked.map(({ network }) => network),
    failures,
  )
  const seen = togetherBy(asked)
  const views = seen.map(({ place, network }): View => {
    const logs = network.flowLogs.items?.map(one => flowLogOf(one, place)) ?? null
    return { network, place, logs }
  })
  const logs = new Map(views.flatMap(view => (view.logs ?? []).map(log => [log.id, log])))
  return {
    posture: postureOf(
      asked.map(({ place }) => place),
      coverage(views),
      [...logs.values()],
      [
        ...failures.map(({ role, error }) => regionsUnknown(role, error)),
        ...seen.flatMap(({ place, network }) => unknownOf(network, place)),
      ],
    ),
    rules: seen.flatMap(({ place, network }) => rulesTexts(network, place)),
    untried: whyUntried(seen.map(({ network }) => network)),
  }
}

interface Asked {
  place: PosturePlace
  network: AwsNetwork
}

/** A role whose regions could not be told, so that nothing was asked with it. */
interface Failure {
  role: string | null
  error: AwsError
}

async function askAll({ aws, regions, roles, signal, onPlace }: PostureOptions): Promise<{
  asked: Asked[]
  failures: Failure[]
}> {
  // Each list of a region is asked for at the same time.
  setMaxListeners(0, signal)
  const asked: Asked[] = []
  const failures: Failure[] = []
  for (const role of roles.length > 0 ? [...new Set(roles)] : [aws.roleArn ?? null]) {
    const own = { ...aws, ...(role !== null && { roleArn: role }) }
    const names = await regionsOf(own, regions, signal)
    if (names instanceof AwsError) {
      failures.push({ role, error: names })
      continue
    }
    for (const region of names) {
      onPlace?.(region, role)
      const network = await describeNetwork({ ...own, region }, signal)
      asked.push({ place: placeOf(network, region, role), network })
    }
  }
  return { asked, failures }
}

/** What roles of one account see of one region is one answer. */
function togetherBy(asked: readonly Asked[]): { place: Place; network: AwsNetwork }[] {
  const groups = new Map<string, Asked[]>()
  for (const [i, one] of asked.entries()) {
    const { account, region } = one.place
    const key = account === null ? `${i}` : `${account} ${region}`
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].map(some => ({
    place: at(some[0]!.place),
    network: together(some.map(({ network }) => network)),
  }))
}

/** The error, where AWS does not tell which there are: other roles may be told. */
async function regionsOf(aws: AwsOptions, named: readonly string[], signal: AbortSignal): Promise<string[] | AwsError> {
  if (!named.includes('all')) return named.length > 0 ? [...new Set(named)] : [await ownRegion(aws)]
  try {
    return await enabledRegions(aws, signal)
  } catch (error) {
    if (error instanceof AwsError) return error
    throw error
  }
}

/** The account that a role is of, which its name tells. */
function accountIn(role: string | null): string | null {
  return /^arn:[\w-]+:iam::(\d{12}):/.exec(role ?? '')?.[1] ?? null
}

function at({ account, region }: PosturePlace): Pick<PosturePlace, 'account' | 'region'> {
  return { account, region }
}

function placeOf(network: AwsNetwork, region: string, role: string | null): PosturePlace {
  const { account, vpcs, subnets, interfaces, flowLogs, groups, acls } = network
  return {
    ...{ account: account ?? accountIn(role), region, role },
    vpcs: vpcs.items?.length ?? null,
    subnets: subnets.items?.length ?? null,
    interfaces: interfaces.items?.length ?? null,
    flow_logs: flowLogs.items?.length ?? null,
    security_groups: groups.items?.length ?? null,
    network_acls: acls.items?.length ?? null,
  }
}

function listsOf({ vpcs, subnets, interfaces, flowLogs, groups, acls }: AwsNetwork): Told<unknown>[] {
  return [vpcs, subnets, interfaces, flowLogs, groups, acls]
}

/** Of a place that tells nothing no address is known, so that nothing is decided there: the others can be tried. */
function whyUntried(networks: readonly AwsNetwork[]): string | null {
  const telling = networks.filter(one => listsOf(one).some(({ items }) => items !== null))
  const [groups, acls] = [telling.map(one => one.groups.items), telling.map(one => one.acls.items)]
  const areGroupsSeen = !groups.includes(null)
  // A subnet always has one: rules that are tried without it would let more pass than those in force.
  if (acls.includes(null))
    return areGroupsSeen
      ? 'not all network ACLs could be seen'
      : 'not all security groups and network ACLs could be seen'
  if ([...groups, ...acls].some(items => items !== null && items.length > 0)) return null
  return areGroupsSeen
    ? 'there are no security groups and no network ACLs'
    : 'there are no network ACLs, and not all security groups could be seen'
}

/** @throws AwsError where not one list was told. */
function requireAnswer(networks: readonly AwsNetwork[], failures: readonly Failure[]): void {
  const lists = networks.flatMap(listsOf)
  if (lists.some(({ items }) => items !== null)) return
  const errors = [...failures, ...lists.flatMap(one => one.refused ?? [])].map(({ error }) => error)
  if (errors.length > 0) throw sumOf(errors)
}

/** Several roles may each have failed in a way of their own; all actions that are not allowed are one. */
function sumOf(errors: readonly AwsError[]): AwsError {
  const isAction = ({ right }: AwsError): boolean => right !== null && right !== 'sts:AssumeRole'
  const actions = errors.filter(isAction)
  const rights = [...new Set(actions.map(({ right }) => right))].join(', ')
  const denied = actions
    .slice(0, 1)
    .map(one => new AwsError('cannot ask EC2 what is recorded: access denied', `the role needs ${rights}`, one))
  const others = errors.filter(one => !isAction(one))
  const all = [...others.filter((one, i) => others.findIndex(({ hint }) => hint === one.hint) === i), ...denied]
  if (all.length === 1) return all[0]!
  return new AwsError(all.map(({ message }) => message).join('; '), all.map(({ hint }) => hint).join('; '), all[0]!)
}

function unknownOf(network: AwsNetwork, { account, region }: Place): PostureUnknown[] {
  const { refused } = network
  const [first] = refused
  // One reason for all of it, as a role that cannot be taken on, is told once.
  const isAll = listsOf(network).every(({ refused: one }) => one?.error.message === first?.error.message)
  if (first !== undefined && isAll) return [unknown({ ...first, what: 'everything' }, account, region)]
  const whose: PostureUnknown = {
    ...{ account, region, what: 'account', right: 'sts:GetCallerIdentity' },
    problem: 'whose credentials these are is not told: flow logs of other owners of a shared VPC would not be shown',
  }
  return [...(account === null ? [whose] : []), ...refused.map(one => unknown(one, account, region))]
}

function regionsUnknown(role: string | null, error: AwsError): PostureUnknown {
  const what = error.right === 'sts:AssumeRole' ? 'everything' : 'regions'
  return unknown({ what, error }, accountIn(role), null)
}

function unknown(
  { what, error }: Pick<Refused, 'what' | 'error'>,
  account: string | null,
  region: string | null,
): PostureUnknown {
  const { right, message } = error
  // Of a role that is refused, the message names it.
  const isOwn = right !== null && right !== 'sts:AssumeRole'
  return { account, region, what, right, problem: isOwn ? 'access denied' : message.replace(/^cannot ask [^:]*: /, '') }
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
