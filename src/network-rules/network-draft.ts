/** A network as files tell it, one after the other: parts that several tell must be told alike. */
import { UserError } from '../errors.ts'
import type { Prefix } from '../net/prefix.ts'
import type { LooseRule } from './aws-shapes.ts'
import type { GroupRule, Network, NetworkAcl, NetworkInterface, PrefixList, SecurityGroup, Subnet } from './network.ts'

interface Told<T> {
  value: T
  where: string
}

export class NetworkDraft {
  private readonly groups = new Map<string, Told<SecurityGroup>>()
  private readonly rules = new Map<string, Told<LooseRule>>()
  private readonly acls = new Map<string, Told<NetworkAcl>>()
  private readonly interfaces = new Map<string, Told<NetworkInterface>>()
  private readonly subnets = new Map<string, Told<Subnet & { id: string }>>()
  /** The ACL of each subnet. */
  private readonly guards = new Map<string, Told<string>>()
  private readonly lists = new Map<string, Told<PrefixList>>()

  addGroup(group: SecurityGroup, where: string): void {
    putOnce(this.groups, group.id, { value: group, where })
  }

  addRule(rule: LooseRule, where: string): void {
    putOnce(this.rules, rule.rule.id!, { value: rule, where })
  }

  addAcl({ acl, subnets }: { acl: NetworkAcl; subnets: readonly string[] }, where: string): void {
    putOnce(this.acls, acl.id, { value: acl, where })
    for (const subnet of subnets) {
      const known = this.guards.get(subnet)
      if (known !== undefined && known.value !== acl.id) {
        const acls = `${known.value} in ${known.where}, ${acl.id} in ${where}`
        throw new UserError(`subnet ${subnet} has two network ACLs: ${acls}`, { hint: oneTime })
      }
      this.guards.set(subnet, { value: acl.id, where })
    }
  }

  addInterface(one: NetworkInterface, where: string): void {
    putOnce(this.interfaces, one.id, { value: one, where })
  }

  addSubnet(subnet: Subnet & { id: string }, where: string): void {
    putOnce(this.subnets, subnet.id, { value: subnet, where })
  }

  /** What one tells of a list and another does not, as its entries, is put together. */
  addList(list: PrefixList, where: string): void {
    const known = this.lists.get(list.id)
    if (known === undefined) {
      this.lists.set(list.id, { value: list, where })
      return
    }
    const { value } = known
    const differs = (part: 'prefixes' | 'maxEntries'): boolean =>
      value[part] !== null && list[part] !== null && plain(value[part]) !== plain(list[part])
    if (differs('prefixes') || differs('maxEntries')) throw inTwoWays(list.id, known.where, where)
    known.value = {
      id: list.id,
      name: value.name === list.id ? list.name : value.name,
      prefixes: value.prefixes ?? list.prefixes,
      maxEntries: value.maxEntries ?? list.maxEntries,
    }
  }

  addListEntries(id: string, prefixes: Prefix[], where: string): void {
    this.addList({ id, name: id, prefixes, maxEntries: null }, where)
  }

  /** @throws UserError where rules that are told apart are not those of their group. */
  network(): Network {
    return {
      groups: this.allGroups(),
      acls: valuesOf(this.acls),
      interfaces: valuesOf(this.interfaces),
      subnets: this.allSubnets(),
      prefixLists: valuesOf(this.lists),
      others: 'undecided',
    }
  }

  private allGroups(): SecurityGroup[] {
    const groups = new Map(valuesOf(this.groups).map(group => [group.id, copyOf(group)]))
    const places = new RulePlaces()
    for (const { value, where } of this.rules.values()) {
      const { group: id, direction, rule } = value
      const described = this.groups.get(id)
      const group = groups.get(id) ?? { id, name: id, vpc: null, ingress: [], egress: [] }
      groups.set(id, group)
      const at = described === undefined ? group[direction].length : places.take(group, direction, rule)
      if (at === null) throw inTwoWays(`${id} (its rule ${rule.id})`, described!.where, where)
      group[direction][at] = rule
    }
    return [...groups.values()]
  }

  private allSubnets(): Subnet[] {
    const subnets = new Map<string, Subnet>(valuesOf(this.subnets).map(one => [one.id, { ...one }]))
    for (const [id, { value: acl }] of this.guards) {
      const known = subnets.get(id) ?? { id, vpc: null, prefixes: [], acl: null }
      subnets.set(id, { ...known, acl })
    }
    return [...subnets.values()]
  }
}

/** Where the rules of groups are, by what they say: each is taken once. */
class RulePlaces {
  private readonly places = new Map<GroupRule[], Map<string, number[]>>()

  /** Null where the group has no such rule, or no more of them. */
  take(group: SecurityGroup, direction: 'ingress' | 'egress', rule: GroupRule): number | null {
    const rules = group[direction]
    const known = this.places.get(rules) ?? this.placesOf(rules)
    return known.get(meaningOf(rule))?.pop() ?? null
  }

  private placesOf(rules: GroupRule[]): Map<string, number[]> {
    const made = new Map<string, number[]>()
    for (const [i, rule] of rules.entries()) {
      const meaning = meaningOf(rule)
      const same = made.get(meaning)
      if (same === undefined) made.set(meaning, [i])
      else same.push(i)
    }
    this.places.set(rules, made)
    return made
  }
}

const oneTime = 'give what one account printed at one time; the same thing told twice alike is no fault'

function inTwoWays(what: string, first: string, second: string): UserError {
  const places = first === second ? `twice in ${first}` : `in ${first} and in ${second}`
  return new UserError(`${what} is described in two ways: ${places}`, { hint: oneTime })
}

function putOnce<T>(map: Map<string, Told<T>>, id: string, told: Told<T>): void {
  const known = map.get(id)
  if (known === undefined) map.set(id, told)
  else if (plain(known.value) !== plain(told.value)) throw inTwoWays(id, known.where, told.where)
}

function valuesOf<T>(map: ReadonlyMap<string, Told<T>>): T[] {
  return [...map.values()].map(({ value }) => value)
}

function copyOf(group: SecurityGroup): SecurityGroup {
  return { ...group, ingress: [...group.ingress], egress: [...group.egress] }
}

function meaningOf({ protocol, ports, icmp, remote }: GroupRule): string {
  return plain({ protocol, ports, icmp, remote })
}

/** A text that two values have if they are the same, in whatever order their lists are. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plain).sort().join()}]`
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}:${plain(part)}`)
    return `{${parts.sort().join()}}`
  }
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'undefined')
}
