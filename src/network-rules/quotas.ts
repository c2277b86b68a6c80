/** AWS's default quotas of groups and ACLs, and what rules use of them (Amazon VPC User Guide, "Amazon VPC quotas", "Security group size"). */
import type { AclEntry, GroupRule, Network, NetworkAcl, PrefixList, SecurityGroup } from './network.ts'
import { isIPv4Prefix } from './places.ts'

export interface Quota {
  what: string
  /** What an account has if it did not ask for more. */
  limit: number
  /** What it can have at most; null: AWS names none. */
  most: number | null
  /** Page of AWS. */
  source: string
}

const source = 'Amazon VPC User Guide, "Amazon VPC quotas"'

export const quotas = {
  rulesPerGroup: { what: 'rules per security group and direction', limit: 60, most: null, source },
  groupsPerInterface: { what: 'security groups per network interface', limit: 5, most: 16, source },
  rulesPerInterface: {
    what: 'quota of rules per group, multiplied by that of groups per interface',
    ...{ limit: 1000, most: 1000, source },
  },
  entriesPerAcl: { what: 'entries per network ACL and direction, with the last one (*)', limit: 20, most: 40, source },
  groupsPerRegion: { what: 'security groups per Region', limit: 2500, most: null, source },
  aclsPerVpc: { what: 'network ACLs per VPC', limit: 200, most: null, source },
} as const satisfies Record<string, Quota>

export interface QuotaUse {
  /** What is counted, e.g. `ingress rules of IPv4 of sg-0`. */
  quota: string
  used: number
  limit: number
  /** What AWS grants at most on request; null: no maximum is named. */
  most: number | null
  fits: boolean
  /** Whether `used` may be more: a prefix list does not tell its size. */
  at_least: boolean
  source: string
}

type Direction = 'ingress' | 'egress'
const families = ['IPv4', 'IPv6'] as const
type Family = (typeof families)[number]

/**
 * What AWS's own prefix lists count for, by the end of their names (Amazon VPC User Guide, "Available AWS-managed prefix lists").
 */
const weights: readonly (readonly [ending: string, weight: number])[] = [
  ['.cloudfront.origin-facing', 55],
  ['.dynamodb', 1],
  ['.groundstation', 5],
  ['.route53-healthchecks', 25],
  ['.s3', 1],
  ['.vpc-lattice', 10],
]

function use(quota: string, used: number, { limit, most, source }: Quota, atLeast = false): QuotaUse {
  return { quota, used, limit, most, fits: used <= limit, at_least: atLeast, source }
}

/** What a group's rules of a direction use, IPv4 and IPv6 apart. */
export function groupQuotas(group: SecurityGroup, direction: Direction, lists: readonly PrefixList[]): QuotaUse[] {
  return families.map(family => {
    const sizes = group[direction].map(rule => sizeOf(rule, family, lists))
    const used = sizes.reduce((sum, { size }) => sum + size, 0)
    const atLeast = sizes.some(({ isLeast }) => isLeast)
    return use(`${direction} rules of ${family} of ${group.id}`, used, quotas.rulesPerGroup, atLeast)
  })
}

/** The last entry (`*`) of a family. */
export const lastEntry = 1

/** What an ACL's entries of a direction use, IPv4 and IPv6 apart. The last entry (`*`), which AWS adds for each family, counts. */
export function aclQuotas(acl: NetworkAcl, direction: Direction): QuotaUse[] {
  return families.map(family => {
    const entries = acl[direction].filter(entry => familyOf(entry) === family).length
    const hasLast = family === 'IPv4' || entries > 0
    return use(
      `${direction} entries of ${family} of ${acl.id}`,
      entries + (hasLast ? lastEntry : 0),
      quotas.entriesPerAcl,
    )
  })
}

/** All quotas that the rules of a network use. */
export function networkQuotas({ groups, acls, interfaces, prefixLists }: Network): QuotaUse[] {
  const ofGroups = groups.flatMap(group => directions.flatMap(one => groupQuotas(group, one, prefixLists)))
  const mostRules = largest(ofGroups.map(({ used }) => used))
  const mostGroups = largest(interfaces.map(({ groups }) => groups?.length ?? 0))
  const vpcs = new Map<string | null, number>()
  for (const { vpc } of acls) vpcs.set(vpc, (vpcs.get(vpc) ?? 0) + 1)
  const rulesQuota = Math.max(mostRules, quotas.rulesPerGroup.limit)
  const groupsQuota = Math.max(mostGroups, quotas.groupsPerInterface.limit)
  return [
    ...ofGroups,
    ...acls.flatMap(acl => directions.flatMap(one => aclQuotas(acl, one))),
    use('groups of an interface', mostGroups, quotas.groupsPerInterface),
    // Without a group none of the product is used.
    ...(groups.length === 0
      ? []
      : [use('quota of rules, multiplied by that of groups', rulesQuota * groupsQuota, quotas.rulesPerInterface)]),
    use('security groups', groups.length, quotas.groupsPerRegion),
    use('network ACLs of a VPC', largest([...vpcs.values()]), quotas.aclsPerVpc),
  ]
}

const directions = ['ingress', 'egress'] as const

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, one) => Math.max(most, one), 0)
}

function familyOf({ prefix }: Pick<AclEntry, 'prefix'>): Family {
  return isIPv4Prefix(prefix) ? 'IPv4' : 'IPv6'
}

/** A group counts as one rule of either family; a prefix list as many as it can have entries. */
function sizeOf(
  { remote }: GroupRule,
  family: Family,
  lists: readonly PrefixList[],
): { size: number; isLeast: boolean } {
  if (remote.kind === 'group') return { size: 1, isLeast: false }
  if (remote.kind === 'prefix') return { size: familyOf(remote) === family ? 1 : 0, isLeast: false }
  const list = lists.find(({ id, name }) => id === remote.list || name === remote.list)
  const name = list?.name ?? remote.list
  const weight = weights.find(([ending]) => name.startsWith('com.amazonaws.') && name.endsWith(ending))?.[1]
  if (weight !== undefined) return { size: weight, isLeast: false }
  const first = list?.prefixes?.[0]
  if (first !== undefined && familyOf({ prefix: first }) !== family) return { size: 0, isLeast: false }
  const known = list?.maxEntries ?? null
  return known !== null
    ? { size: known, isLeast: false }
    : { size: Math.max(1, list?.prefixes?.length ?? 1), isLeast: true }
}
