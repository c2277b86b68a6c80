/** Controls of Tidemark's own, as `controls --json` tells them and somebody edited them: rules, and the addresses that they are for. */
import { UserError } from '../errors.ts'
import { type Address, parseAddress } from '../net/address.ts'
import { isIcmp } from '../net/icmp.ts'
import { parsePrefix } from '../net/prefix.ts'
import * as shape from '../shape.ts'
import { aclTraffic, address, directed, id, type LooseEntry, protocol, trafficOf } from './aws-shapes.ts'
import type { RuleDocument } from './documents.ts'
import type { GroupRule, NetworkAcl, Remote, SecurityGroup } from './network.ts'
import type { ToldRule } from './told-rule.ts'

/** What rules are for, as a control tells it. */
export interface AppliesTo {
  addresses: Address[]
  /** Ids. */
  interfaces: string[]
  subnets: string[]
}

export type OwnControl =
  | { what: 'group'; direction: 'ingress' | 'egress'; group: SecurityGroup; appliesTo: AppliesTo }
  | { what: 'acl'; acl: NetworkAcl; appliesTo: AppliesTo }

const maybe = <T>(one: shape.Shape<T>): shape.Shape<T | null> => shape.absent(shape.nullOr(one), null)
const port = maybe(shape.countFrom(0, 65_535))
const byte = maybe(shape.countFrom(0, 255))

const toldRule: shape.Shape<ToldRule> = shape.objectOf({
  direction: shape.oneOf('ingress', 'egress'),
  number: maybe(shape.countFrom(1, 32_766)),
  action: shape.oneOf('allow', 'deny'),
  protocol: maybe(protocol),
  from_port: port,
  to_port: port,
  icmp_type: byte,
  icmp_code: byte,
  remote: shape.text,
  description: shape.absent(shape.text, ''),
})

const appliesTo: shape.Shape<AppliesTo> = shape.objectOf({
  addresses: shape.absent(shape.listOf(address), []),
  interfaces: shape.absent(shape.listOf(id), []),
  subnets: shape.absent(shape.listOf(id), []),
})

/** First and second number of what a rule asks for: ports, or type and code of ICMP. */
function numbersOf(rule: ToldRule): [from: number | null, to: number | null] {
  const hasTypes = rule.protocol !== null && isIcmp(rule.protocol)
  return hasTypes ? [rule.icmp_type, rule.icmp_code ?? -1] : [rule.from_port, rule.to_port]
}

const groupRule = (direction: 'ingress' | 'egress'): shape.Shape<GroupRule> => {
  return value => {
    const rule = toldRule(value)
    if (rule.action !== 'allow') shape.fail('action: a security group only allows')
    if (rule.direction !== direction) shape.fail(`direction: not ${direction}, as its control has it`)
    return {
      ...trafficOf(rule.protocol, ...numbersOf(rule)),
      ...{ id: null, remote: remoteOf(rule.remote), description: rule.description },
    }
  }
}

function remoteOf(text: string): Remote {
  if (text.startsWith('sg-')) return { kind: 'group', group: id(text) }
  if (text.startsWith('pl-') || text.startsWith('com.amazonaws.')) return { kind: 'prefix-list', list: id(text) }
  if (text === '0.0.0.0' || text === '::') shape.fail(`remote: ${text} has no length: everybody is ${text}/0`)
  return {
    kind: 'prefix',
    prefix:
      parsePrefix(text) ??
      shape.fail('remote: not a prefix, nor the id of a group or a prefix list, nor the name of a list of AWS'),
  }
}

const aclEntry: shape.Shape<LooseEntry> = value => {
  const rule = toldRule(value)
  const number = rule.number ?? shape.fail('number: an entry of a network ACL needs one')
  const prefix = parsePrefix(rule.remote) ?? shape.fail('remote: not a prefix')
  const { protocol, ports, icmp } = trafficOf(rule.protocol, ...numbersOf(rule))
  const { direction, action } = rule
  return { direction, entry: { ...aclTraffic(protocol, ports, icmp, prefix), number, action, prefix } }
}

const directions = { 'security-group-ingress': 'ingress', 'security-group-egress': 'egress' } as const

/** Null: a control without rules of groups or ACLs, as an alarm. */
const control: shape.Shape<OwnControl | null> = value => {
  const { id: name, kind } = shape.objectOf({ id, kind: shape.text })(value)
  const to = shape.objectOf({ applies_to: appliesTo })
  if (kind === 'network-acl') {
    const { rules } = shape.objectOf({ rules: shape.listOf(aclEntry) })(value)
    const acl = { id: name, vpc: null, isDefault: false, ...directed(rules) }
    return { what: 'acl', acl, appliesTo: to(value).applies_to }
  }
  if (kind !== 'security-group-ingress' && kind !== 'security-group-egress') return null
  const direction = directions[kind]
  const { rules } = shape.objectOf({ rules: shape.listOf(groupRule(direction)) })(value)
  const group = { id: name, name, vpc: null, ingress: [], egress: [], [direction]: rules }
  return { what: 'group', direction, group, appliesTo: to(value).applies_to }
}

/** @returns null where it is no answer of `controls`. @throws UserError that says which part is wrong. */
export function ownControlsIn({ where, value }: RuleDocument): OwnControl[] | null {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'controls')) return null
  const { value: found, fault } = shape.fit(shape.objectOf({ controls: shape.listOf(control) }), value)
  if (found === null) {
    throw new UserError(`${where}: ${fault}`, {
      hint: 'the form is that of tidemark controls --json (docs/reference/network-rules.md)',
    })
  }
  return found.controls.filter(one => one !== null)
}

/** What a control is for, out of a list of addresses and ids. */
export function appliesToAll(texts: readonly string[]): AppliesTo {
  return {
    addresses: texts.flatMap(text => parseAddress(text) ?? []),
    interfaces: texts.filter(text => text.startsWith('eni-')),
    subnets: texts.filter(text => text.startsWith('subnet-')),
  }
}
