/** Plans a document: what each control becomes, with names and variables that no two of them share by accident. */

import { ICMP, ICMPV6, isIcmp } from '../net/icmp.ts'
import type { Prefix } from '../net/prefix.ts'
import { TCP, UDP } from '../net/protocols.ts'
import type { AclEntry, GroupRule, IcmpRange, PortRange, Remote, Traffic } from '../network-rules/network.ts'
import { visible } from '../visible.ts'
import type { Artefact, CodeFormat, MetricAlarm } from './artefact.ts'
import { decimal, groupName, groupText, isId, lineOf, plainName, unique } from './names.ts'
import type {
  AclPart,
  AlarmPart,
  Attached,
  CodeContext,
  CodeItem,
  FlowLogPart,
  GroupPart,
  Part,
  Plan,
  PlannedEntry,
  PlannedRule,
  RatePart,
  Value,
  Variable,
} from './plan.ts'

type Of<W extends Artefact['what']> = Extract<Artefact, { what: W }>

/** What the parts of one document share. */
interface Scope {
  context: CodeContext
  format: CodeFormat
  variables: Variable[]
  /** Names in AWS that are taken, by kind. */
  names: Map<string, Set<string>>
  /** Keys of the groups of this document, by the ids that rules name them by. */
  groups: Map<string, string>
}

/** Plans the document of these items. Equal items give equal plans. */
export function planOf(items: readonly CodeItem[], context: CodeContext, format: CodeFormat): Plan {
  const scope: Scope = { context, format, variables: [], names: new Map(), groups: new Map() }
  const keys = new Set<string>()
  const keyed = items.map(item => ({ item, key: unique(keys, keyOf(item.id), 40, 'x') }))
  for (const { item, key } of keyed) {
    const { artefact } = item
    if (artefact.what === 'security-group' && artefact.group.id !== '') scope.groups.set(artefact.group.id, key)
  }
  // A stack has its region and its account from where it is made.
  const place = format !== 'cloudformation'
  const region =
    place && isId('region', context.region) ? text(scope, 'region', 'Region of the evidence', context.region) : null
  const account =
    place && isId('account', context.account)
      ? text(scope, 'account_id', 'Account of the evidence; nothing is done in another', context.account)
      : null
  const parts = keyed.map(({ item, key }) => partOf(item, key, scope)).filter(part => part !== null)
  const advice = items.filter(item => item.artefact.what === 'advice')
  return { region, account, variables: scope.variables, parts, advice }
}

function keyOf(id: string): string {
  const key = id
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 30)
  return /^[a-z]/.test(key) ? key : `c${key}`
}

function partOf(item: CodeItem, key: string, scope: Scope): Part | null {
  const { artefact } = item
  switch (artefact.what) {
    case 'security-group':
      return groupPart(item, key, artefact, scope)
    case 'network-acl':
      return aclPart(item, key, artefact, scope)
    case 'metric-alarm':
      return alarmPart(item, key, artefact, scope)
    case 'rate-rule':
      return ratePart(item, key, artefact, scope)
    case 'flow-log':
      return flowLogPart(item, key, artefact, scope)
    case 'advice':
      return null
  }
}

function groupPart(item: CodeItem, key: string, artefact: Of<'security-group'>, scope: Scope): GroupPart {
  const { group, direction } = artefact
  return {
    what: 'security-group',
    item,
    key,
    name: nameIn(scope, 'group', groupName(group.name, `tidemark-${key}`), 255),
    description: groupText(`${item.id} ${item.title}`) || key,
    vpc: vpcOf(scope, group.vpc),
    direction,
    rules: distinct(group[direction]).map((rule, i) => ({
      key: `${key}_${direction}_${i + 1}`,
      protocol: protocolOfRule(rule.protocol),
      range: rangeOfRule(rule),
      remote: remoteOf(rule.remote, scope),
      description: groupText(rule.description),
    })),
    ...attached(key, artefact.interfaces, 'interface', artefact.addresses, scope),
  }
}

/** Rules without those that allow what one before them allows: AWS refuses them. */
function distinct(rules: readonly GroupRule[]): GroupRule[] {
  const seen = new Set<string>()
  return rules.filter(rule => {
    const { remote } = rule
    const to = remote.kind === 'prefix' ? cidrOf(remote.prefix) : remote
    const text = JSON.stringify([protocolOfRule(rule.protocol), rangeOfRule(rule), to])
    return !seen.has(text) && seen.add(text)
  })
}

/** The names that EC2 knows; the number otherwise. */
function protocolOfRule(protocol: number | null): string {
  if (protocol === null) return '-1'
  return { [ICMP]: 'icmp', [TCP]: 'tcp', [UDP]: 'udp', [ICMPV6]: 'icmpv6' }[protocol] ?? String(protocol)
}

function rangeOfRule({ protocol, ports, icmp }: Traffic): PortRange | null {
  if (protocol === null) return null
  return isIcmp(protocol) ? { from: icmp?.type ?? -1, to: icmp?.code ?? -1 } : portsOf(protocol, ports)
}

/** TCP and UDP must tell their ports, others may. */
function portsOf(protocol: number, ports: PortRange | null): PortRange | null {
  return ports ?? (protocol === TCP || protocol === UDP ? { from: 0, to: 65_535 } : null)
}

/** As AWS writes a prefix: always with its length. */
function cidrOf({ text }: Prefix): { cidr: string; ipv6: boolean } {
  const ipv6 = text.includes(':')
  return { cidr: text.includes('/') ? text : `${text}/${ipv6 ? 128 : 32}`, ipv6 }
}

function remoteOf(remote: Remote, scope: Scope): PlannedRule['remote'] {
  if (remote.kind === 'prefix') {
    const { cidr, ipv6 } = cidrOf(remote.prefix)
    return { kind: ipv6 ? 'ipv6' : 'ipv4', cidr }
  }
  if (remote.kind === 'prefix-list') return { kind: 'prefix-list', id: idOf(scope, 'list', remote.list) }
  const made = scope.groups.get(remote.group)
  return { kind: 'group', id: made === undefined ? idOf(scope, 'group', remote.group) : { made } }
}

/** An id as it is, or a variable where the text cannot be one. */
function idOf(scope: Scope, kind: 'group' | 'list', id: string): Value {
  if (isId(kind, id)) return id
  const [name, words] = kind === 'group' ? ['source_group_id', 'security group'] : ['prefix_list_id', 'prefix list']
  return text(scope, name, `Id of the ${words} that the evidence calls "${lineOf(id, 200)}"`, null)
}

function aclPart(item: CodeItem, key: string, artefact: Of<'network-acl'>, scope: Scope): AclPart {
  return {
    what: 'network-acl',
    item,
    key,
    name: nameIn(scope, 'acl', `tidemark-${key}`, 255),
    vpc: vpcOf(scope, null),
    entries: [
      ...artefact.ingress.map(entry => entryOf(key, entry, false)),
      ...artefact.egress.map(entry => entryOf(key, entry, true)),
    ],
    ...attached(key, artefact.subnets, 'subnet', artefact.addresses, scope),
  }
}

function entryOf(key: string, entry: AclEntry, egress: boolean): PlannedEntry {
  const { number, action, protocol } = entry
  const icmp: IcmpRange = entry.icmp ?? { type: null, code: null }
  return {
    key: `${key}_${egress ? 'egress' : 'ingress'}_${number}`,
    egress,
    number,
    action,
    protocol: protocol ?? -1,
    ports: protocol === null || isIcmp(protocol) ? null : portsOf(protocol, entry.ports),
    icmp: protocol !== null && isIcmp(protocol) ? { type: icmp.type ?? -1, code: icmp.code ?? -1 } : null,
    ...cidrOf(entry.prefix),
  }
}

/** What the part is for; a template that is read back is for all of it. CloudFormation cannot put a group on an interface that is there. */
function attached(
  key: string,
  ids: readonly string[],
  kind: 'interface' | 'subnet',
  addresses: readonly string[],
  scope: Scope,
): Attached {
  const told = [...ids, ...addresses]
  if (scope.format === 'cloudformation' && kind === 'interface')
    return { attach: null, targets: [], told: told.map(visible) }
  const words =
    kind === 'interface' ? `Put the group of ${key} on the interfaces` : `Put the ACL of ${key} before the subnets`
  const attach = variable(scope, {
    name: `attach_${key}`,
    about: `${words}: only when reviewed`,
    value: null,
    kind: 'flag',
  })
  const known = [...new Set(ids)].filter(id => isId(kind, id))
  const ofAll = addresses.length > 0 ? ` of ${lineOf(addresses.join(', '), 200)}` : ''
  const target = (of: string, value: string | null): Variable =>
    variable(scope, {
      name: `${kind}_id`,
      about: `${kind === 'interface' ? 'Network interface' : 'Subnet'}${of}`,
      value,
      kind: 'optional',
    })
  if (known.length > 0) return { attach, targets: known.map(id => target(ofAll, id)), told: told.map(visible) }
  // Each address has an interface of its own; a subnet may have all of them.
  const each =
    kind === 'interface' && addresses.length > 0
      ? [...new Set(addresses.map(one => ` of ${lineOf(one, 50)}`))]
      : [ofAll]
  return { attach, targets: each.map(of => target(of, null)), told: told.map(visible) }
}

function alarmPart(item: CodeItem, key: string, alarm: MetricAlarm, scope: Scope): AlarmPart {
  const name = nameIn(scope, 'alarm', lineOf(alarm.name, 255) || `tidemark ${key}`, 255)
  const metric = plainName(`${key}_${alarm.name}`, 100)
  const filtered = alarm.pattern !== null
  return {
    what: 'metric-alarm',
    item,
    key,
    alarm,
    name,
    description: lineOf(`${item.id} ${item.title}: ${item.why}`, 1024),
    logGroup: text(scope, 'log_group_name', 'Log group of the flow log whose format the filters are written for', null),
    namespace: filtered ? 'Tidemark' : 'AWS/Logs',
    metric: filtered ? metric : alarm.unit === 'Bytes' ? 'IncomingBytes' : 'IncomingLogEvents',
    filter:
      alarm.pattern === null ? null : { name: metric, pattern: visible(alarm.pattern), value: visible(alarm.value) },
    threshold: decimal(alarm.threshold),
    topic: variable(scope, {
      name: 'alarm_topic_arn',
      about: 'ARN of the SNS topic that alarms go to; empty: they only change their state',
      value: null,
      kind: 'optional',
    }),
  }
}

function ratePart(item: CodeItem, key: string, artefact: Of<'rate-rule'>, scope: Scope): RatePart {
  const name = plainName(artefact.name, 100)
  return {
    what: 'rate-rule',
    item,
    key,
    name: nameIn(scope, 'waf', /^[a-z0-9]/i.test(name) ? name : `tidemark-${key}${name}`, 128),
    limit: artefact.limit,
    window: artefact.window,
    action: variable(scope, {
      name: 'rate_action',
      about: 'What rate rules do: count first, and block once the counts are right',
      value: 'count',
      kind: 'action',
    }),
    target: variable(scope, {
      name: `${key}_target_arn`,
      about: `ARN of the load balancer or API that ${key} is to stand before; empty: none yet`,
      value: null,
      kind: 'optional',
    }),
    servers: artefact.servers.map(visible),
  }
}

function flowLogPart(item: CodeItem, key: string, artefact: Of<'flow-log'>, scope: Scope): FlowLogPart {
  const { resource, resourceType } = artefact
  return {
    what: 'flow-log',
    item,
    key,
    name: nameIn(scope, 'flow-log', `tidemark-${key}`, 255),
    format: artefact.fields.map(field => `\${${plainName(field, 100)}}`).join(' '),
    interval: artefact.interval,
    resource: resourceOf(resource, resourceType, scope),
    resourceType,
    bucket: text(
      scope,
      'flow_log_bucket_arn',
      'ARN of the S3 bucket, or of a folder in it, for the new flow logs: best in an account of its own',
      null,
    ),
  }
}

function resourceOf(resource: string | null, type: FlowLogPart['resourceType'], scope: Scope): Variable {
  if (type === 'VPC') return vpcOf(scope, resource)
  const [name, kind, words] =
    type === 'Subnet'
      ? (['subnet_id', 'subnet', 'Subnet'] as const)
      : (['interface_id', 'interface', 'Network interface'] as const)
  return text(scope, `logged_${name}`, `${words} to record`, isId(kind, resource) ? resource : null)
}

function vpcOf(scope: Scope, vpc: string | null): Variable {
  const known = [vpc, scope.context.vpc].find(id => isId('vpc', id))
  return text(scope, 'vpc_id', 'VPC of the controls', known ?? null)
}

function text(scope: Scope, name: string, about: string, value: string | null): Variable {
  return variable(scope, { name, about, value, kind: 'text' })
}

/** The variable, or the one of the document that is the same; with a number where another has its name. */
function variable(scope: Scope, wanted: Variable): Variable {
  const same = scope.variables.find(
    one =>
      one.name.replace(/_\d+$/, '') === wanted.name &&
      one.kind === wanted.kind &&
      one.value === wanted.value &&
      (wanted.value !== null || one.about === wanted.about),
  )
  if (same !== undefined) return same
  const made = { ...wanted, name: nameIn(scope, 'variable', wanted.name, 100, '_') }
  scope.variables.push(made)
  return made
}

function nameIn(scope: Scope, kind: string, name: string, longest: number, join = '-'): string {
  const taken = scope.names.get(kind) ?? new Set<string>()
  scope.names.set(kind, taken)
  return unique(taken, name, longest, join)
}
