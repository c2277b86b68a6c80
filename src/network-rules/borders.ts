/** The rule sets that a connection's packets pass, in the order of their way. */
import type { Reason } from './decision.ts'
import type { Candidate, Far, Fit } from './match.ts'
import { fitAt } from './match.ts'
import type {
  AclEntry,
  GroupRule,
  Network,
  NetworkAcl,
  NetworkInterface,
  PrefixList,
  SecurityGroup,
} from './network.ts'
import { type Place, sameSubnet } from './places.ts'

/** The rules of one direction of an interface's groups, or of an ACL. */
export type RuleSet =
  | { what: 'group'; ids: string[]; rules: GroupRule[] /** In place of a denial. */; unless: Reason | null }
  | { what: 'acl'; ids: string[]; rules: AclEntry[]; unless: null }

/** A rule set that packets pass; why it is not known, in place of one that is not. */
export interface Border {
  at: 'client' | 'server'
  direction: 'ingress' | 'egress'
  packets: 'request' | 'answer'
  what: 'group' | 'acl'
  set: RuleSet | Reason
  far: Far
  /** In place of a denial: why it is not certain. */
  unless: Reason | null
}

/** What a border does: an entry denies, or null: nothing allows it. */
export type Outcome = 'passes' | Reason | { entry: number | null }

type Direction = 'ingress' | 'egress'

export class RuleBook {
  readonly lists: ReadonlyMap<string, PrefixList>
  private readonly groups: ReadonlyMap<string, SecurityGroup>
  private readonly acls: ReadonlyMap<string, NetworkAcl>
  private readonly others: Network['others']
  private readonly sets = new Map<string, RuleSet>()
  private readonly ingressOf = new Map<NetworkInterface, RuleSet>()
  private readonly egressOf = new Map<NetworkInterface, RuleSet>()

  constructor({ groups, acls, prefixLists, others }: Network) {
    this.groups = new Map(groups.map(group => [group.id, group]))
    this.acls = new Map(acls.map(acl => [acl.id, acl]))
    // Rules of AWS have the id of a list; those of controls may have its name.
    this.lists = new Map([
      ...prefixLists.map(list => [list.name, list] as const),
      ...prefixLists.map(list => [list.id, list] as const),
    ])
    this.others = others
  }

  /** Groups decide at the opening alone, by what the client sends; ACLs both ways. */
  borders(client: Place, server: Place): Border[] {
    const sides = { client: { near: client, far: server }, server: { near: server, far: client } } as const
    const border = (at: 'client' | 'server', what: Border['what'], direction: Direction): Border[] => {
      const { near, far: place } = sides[at]
      const isTranslated = near.isPublicName && place.kind !== 'outside'
      const unless = what === 'acl' && sameSubnet(client, server) === 'maybe' ? 'same-subnet' : null
      const set = what === 'group' ? this.groupsAt(near, direction) : this.aclAt(near, place, direction)
      const packets = (at === 'client') === (direction === 'egress') ? 'request' : 'answer'
      return set === null ? [] : [{ at, direction, packets, what, set, far: { place, isTranslated }, unless }]
    }
    return [
      ...border('client', 'group', 'egress'),
      ...border('client', 'acl', 'egress'),
      ...border('server', 'acl', 'ingress'),
      ...border('server', 'group', 'ingress'),
      ...border('server', 'acl', 'egress'),
      ...border('client', 'acl', 'ingress'),
    ]
  }

  /** Null: nothing filters there, or that is not judged. */
  private groupsAt(near: Place, direction: Direction): RuleSet | Reason | null {
    if (this.groups.size === 0 && !this.asksForGroups(near)) return null
    if (near.isAmbiguous) return 'ambiguous-address'
    const asks = this.others === 'undecided'
    if (near.interface === null) return asks && near.kind !== 'outside' ? 'no-interface' : null
    const sets = direction === 'ingress' ? this.ingressOf : this.egressOf
    const before = sets.get(near.interface)
    if (before !== undefined) return before
    const ids = near.interface.groups
    if (ids === null) return asks ? 'groups-not-told' : null
    const known = ids.flatMap(id => this.groups.get(id) ?? [])
    if (known.length === 0 && (ids.length === 0 || !asks)) return null
    // Interfaces with the same groups have one set.
    const set = this.once(`${direction} ${JSON.stringify(ids)}`, () => ({
      what: 'group',
      ids: asks ? ids : known.map(({ id }) => id),
      rules: known.flatMap(group => group[direction]),
      unless: asks && known.length < ids.length ? 'group-not-described' : null,
    }))
    sets.set(near.interface, set)
    return set
  }

  /** Where no group is told, only those that the interface names are missing. */
  private asksForGroups({ interface: one }: Place): boolean {
    return this.others === 'undecided' && (one?.groups?.length ?? 0) > 0
  }

  private aclAt(near: Place, far: Place, direction: Direction): RuleSet | Reason | null {
    if (this.acls.size === 0 || sameSubnet(near, far) === 'yes') return null
    if (near.isAmbiguous) return 'ambiguous-address'
    const asks = this.others === 'undecided'
    if (near.subnet === null) return asks && near.kind !== 'outside' ? 'no-subnet' : null
    const acl = this.acls.get(near.subnet.acl ?? '')
    if (acl === undefined) return asks ? 'acl-not-described' : null
    return this.once(`${direction} ${acl.id}`, () => ({
      what: 'acl',
      ids: [acl.id],
      rules: [...acl[direction]].sort((a, b) => a.number - b.number),
      unless: null,
    }))
  }

  private once(key: string, make: () => RuleSet): RuleSet {
    const known = this.sets.get(key)
    if (known !== undefined) return known
    const made = make()
    this.sets.set(key, made)
    return made
  }
}

/** What a border does to packets to a port; null: not known. @param candidates of its rule set. */
export function outcomeAt(
  border: Border,
  candidates: readonly Candidate<GroupRule | AclEntry>[],
  port: number | null,
): Outcome {
  if (typeof border.set === 'string') return border.set
  const outcome =
    border.set.what === 'group'
      ? groupOutcome(candidates, port)
      : aclOutcome(candidates as readonly Candidate<AclEntry>[], port)
  return typeof outcome === 'string' ? outcome : (border.set.unless ?? border.unless ?? outcome)
}

/** One rule that fits is enough. */
function groupOutcome(candidates: readonly Candidate<GroupRule | AclEntry>[], port: number | null): Outcome {
  let reason: Reason | null = null
  for (const candidate of candidates) {
    const fit = fitAt(candidate, port)
    if (fit === 'yes') return 'passes'
    if (fit !== 'no') reason ??= fit
  }
  return reason ?? { entry: null }
}

/** The first entry that fits decides; those before it that may fit only if they say the other. */
function aclOutcome(candidates: readonly Candidate<AclEntry>[], port: number | null): Outcome {
  const perhaps: { action: AclEntry['action']; reason: Reason }[] = []
  let last: AclEntry | null = null
  for (const candidate of candidates) {
    const fit: Fit = fitAt(candidate, port)
    if (fit === 'yes') {
      last = candidate.rule
      break
    }
    if (fit !== 'no') perhaps.push({ action: candidate.rule.action, reason: fit })
  }
  const action = last?.action ?? 'deny'
  const other = perhaps.find(one => one.action !== action)
  if (other !== undefined) return other.reason
  return action === 'allow' ? 'passes' : { entry: last?.number ?? null }
}
