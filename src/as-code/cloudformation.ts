/** CloudFormation, in YAML: separate resources for rules, references in their long form, which every reader of YAML knows. */
import { attachWords, heading, preamble } from './comment.ts'
import type {
  AclPart,
  AlarmPart,
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
import { type YamlValue, yamlLines } from './yaml.ts'

type Mapping = { [key: string]: YamlValue }

/** Resources with the comment above them. */
interface Section {
  comment: string[]
  resources: Mapping
}

export function cloudformationOf(plan: Plan): string {
  const ids = plan.parts.map(part => part.item.id.replace(/[^A-Za-z0-9]/g, '')).join(', ')
  const about = `Tidemark controls ${ids}`
  const header: Mapping = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: about.length <= 1000 ? about : 'Tidemark controls',
  }
  const sections = plan.parts.flatMap(sectionsOf)
  const lines = [
    ...comments(preamble(plan), ''),
    ...yamlLines(header, ''),
    ...topLevel('Parameters', Object.fromEntries(plan.variables.map(parameterOf))),
    ...topLevel('Rules', rulesOf(plan)),
    ...topLevel('Conditions', conditionsOf(plan)),
    '',
    'Resources:',
    ...sections.flatMap(({ comment, resources }, i) => [
      ...(i > 0 ? [''] : []),
      ...comments(comment, '  '),
      ...yamlLines(resources, '  '),
    ]),
  ]
  return `${lines.join('\n')}\n`
}

function comments(lines: readonly string[], indent: string): string[] {
  return lines.map(line => `${indent}# ${line}`.trimEnd())
}

function topLevel(name: string, mapping: Mapping): string[] {
  return Object.keys(mapping).length === 0 ? [] : ['', ...yamlLines({ [name]: mapping }, '')]
}

/** `vpc_id` is VpcId. */
function pascal(name: string): string {
  return name
    .split('_')
    .map(word => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
}

function parameterOf({ name, about, value, kind }: Variable): [string, Mapping] {
  const told: Mapping = { Type: 'String', Description: about.slice(0, 4000) }
  if (kind === 'flag') return [pascal(name), { ...told, AllowedValues: ['true', 'false'], Default: 'false' }]
  if (kind === 'action')
    return [pascal(name), { ...told, AllowedValues: ['count', 'block'], Default: value ?? 'count' }]
  const given: Mapping = value === null && kind === 'text' ? {} : { Default: value ?? '' }
  return [pascal(name), { ...told, ...given, ...(kind === 'text' ? { MinLength: 1 } : {}) }]
}

/** Stops the stack where a step is asked for and nobody said for what. */
function rulesOf({ parts }: Plan): Mapping {
  const rules: Mapping = {}
  for (const part of parts) {
    if (part.what !== 'network-acl' || part.attach === null || part.targets.every(target => target.value !== null))
      continue
    rules[`${pascal(part.attach.name)}Rule`] = {
      RuleCondition: { 'Fn::Equals': [ref(part.attach), 'true'] },
      Assertions: part.targets.map(target => ({
        Assert: isGiven(target),
        AssertDescription: `${pascal(target.name)} is empty: ${target.about}`,
      })),
    }
  }
  return rules
}

function conditionsOf({ variables, parts }: Plan): Mapping {
  const conditions = parts.flatMap(part => {
    if (part.what === 'network-acl') return associationConditions(part)
    if (part.what === 'metric-alarm') return [givenCondition(part.topic)]
    return part.what === 'rate-rule' ? [givenCondition(part.target)] : []
  })
  return Object.fromEntries([...variables.flatMap(chosenCondition), ...conditions])
}

function givenCondition(variable: Variable): [string, Mapping] {
  return [conditionName(variable), isGiven(variable)]
}

function isGiven(variable: Variable): Mapping {
  return { 'Fn::Not': [{ 'Fn::Equals': [ref(variable), ''] }] }
}

/** Where the subnet is not known, it must be given as well. */
function associationConditions({ key, attach, targets }: AclPart): [string, Mapping][] {
  return targets.flatMap((target, i) => {
    if (attach === null || target.value !== null) return []
    const both = [{ Condition: conditionName(attach) }, isGiven(target)]
    return [[`${associationName(key, i)}Wanted`, { 'Fn::And': both }]]
  })
}

function associationName(key: string, i: number): string {
  return `${pascal(key)}Association${i + 1}`
}

function chosenCondition(variable: Variable): [string, Mapping][] {
  const chosen = { flag: 'true', action: 'block', text: null, optional: null }[variable.kind]
  return chosen === null ? [] : [[conditionName(variable), { 'Fn::Equals': [ref(variable), chosen] }]]
}

function conditionName(variable: Variable): string {
  const name = pascal(variable.name)
  if (variable.kind === 'flag') return `${name}Now`
  return variable.kind === 'action' ? `${name}Blocks` : `${name}Given`
}

function ref(variable: Variable): Mapping {
  return { Ref: pascal(variable.name) }
}

function idValue(value: Value): YamlValue {
  if (typeof value === 'string') return value
  return 'made' in value ? groupId(value.made) : ref(value)
}

function groupId(key: string): Mapping {
  return { 'Fn::GetAtt': [`${pascal(key)}Group`, 'GroupId'] }
}

function resource(type: string, properties: Mapping, more: Mapping = {}): Mapping {
  return { Type: type, ...more, Properties: properties }
}

function sectionsOf(part: Part): Section[] {
  const comment = heading(part.item)
  switch (part.what) {
    case 'security-group':
      return [{ comment: [...comment, ...attachByHand(part)], resources: groupResources(part) }]
    case 'network-acl':
      return [
        { comment, resources: aclResources(part) },
        { comment: attachWords(part, 'cloudformation'), resources: associations(part) },
      ]
    case 'metric-alarm':
      return [{ comment, resources: alarmResources(part) }]
    case 'rate-rule':
      return [
        { comment, resources: webAcl(part) },
        { comment: attachWords(part, 'cloudformation'), resources: webAclAssociation(part) },
      ]
    case 'flow-log':
      return [{ comment, resources: flowLog(part) }]
  }
}

/** A stack cannot put a group on an interface that is there: the command that does. */
function attachByHand(part: GroupPart): string[] {
  const command = 'aws ec2 modify-network-interface-attribute --network-interface-id ENI --groups'
  return [...attachWords(part, 'cloudformation'), `  ${command} ITS_GROUPS ${pascal(part.key)}Group`]
}

function groupResources(part: GroupPart): Mapping {
  const name = `${pascal(part.key)}Group`
  const properties: Mapping = {
    GroupName: part.name,
    GroupDescription: part.description,
    VpcId: ref(part.vpc),
    SecurityGroupEgress: [
      { IpProtocol: '-1', CidrIp: '127.0.0.1/32', Description: "Nothing: in place of AWS's default, which allows all" },
    ],
    Tags: [{ Key: 'Name', Value: part.name }],
  }
  const metadata = { Tidemark: { Control: part.item.id, Direction: part.direction, For: part.told } }
  const rules = part.rules.map(rule => [pascal(rule.key), ruleResource(part, rule)])
  return {
    [name]: resource('AWS::EC2::SecurityGroup', properties, { Metadata: metadata }),
    ...Object.fromEntries(rules),
  }
}

function ruleResource(part: GroupPart, { remote, range, protocol, description }: PlannedRule): Mapping {
  const ingress = part.direction === 'ingress'
  const side = ingress ? 'Source' : 'Destination'
  const idName = `${side}${remote.kind === 'group' ? 'SecurityGroupId' : 'PrefixListId'}`
  const properties: Mapping = {
    GroupId: groupId(part.key),
    ...(description === '' ? {} : { Description: description }),
    ...('cidr' in remote
      ? { [remote.kind === 'ipv4' ? 'CidrIp' : 'CidrIpv6']: remote.cidr }
      : { [idName]: idValue(remote.id) }),
    IpProtocol: protocol,
    ...(range === null ? {} : { FromPort: range.from, ToPort: range.to }),
  }
  const type = ingress ? 'AWS::EC2::SecurityGroupIngress' : 'AWS::EC2::SecurityGroupEgress'
  return resource(type, properties, protocol === 'icmpv6' ? { Metadata: typesOfIcmpv6 } : {})
}

/** Two rules of cfn-lint know that ICMP has a type and a code for ports, and forget ICMPv6. */
const typesOfIcmpv6: Mapping = { 'cfn-lint': { config: { ignore_checks: ['E3688', 'W3687'] } } }

function aclResources(part: AclPart): Mapping {
  const name = `${pascal(part.key)}Acl`
  const properties = { VpcId: ref(part.vpc), Tags: [{ Key: 'Name', Value: part.name }] }
  const metadata = { Tidemark: { Control: part.item.id, For: part.told } }
  const entries = part.entries.map(entry => [pascal(entry.key), entryResource(name, entry)])
  return {
    [name]: resource('AWS::EC2::NetworkAcl', properties, { Metadata: metadata }),
    ...Object.fromEntries(entries),
  }
}

function entryResource(acl: string, entry: PlannedEntry): Mapping {
  const { ports, icmp } = entry
  return resource('AWS::EC2::NetworkAclEntry', {
    NetworkAclId: { Ref: acl },
    Egress: entry.egress,
    RuleNumber: entry.number,
    RuleAction: entry.action,
    Protocol: entry.protocol,
    [entry.ipv6 ? 'Ipv6CidrBlock' : 'CidrBlock']: entry.cidr,
    ...(ports === null ? {} : { PortRange: { From: ports.from, To: ports.to } }),
    ...(icmp === null ? {} : { Icmp: { Type: icmp.type, Code: icmp.code } }),
  })
}

/** After the entries: an ACL without them stops everything. */
function associations(part: AclPart): Mapping {
  const { attach, targets, key } = part
  if (attach === null) return {}
  const after = part.entries.map(entry => pascal(entry.key))
  const made = targets.map((target, i) => {
    const name = associationName(key, i)
    const condition = target.value === null ? `${name}Wanted` : conditionName(attach)
    const properties = { SubnetId: ref(target), NetworkAclId: { Ref: `${pascal(key)}Acl` } }
    const more: Mapping = { Condition: condition, ...(after.length > 0 ? { DependsOn: after } : {}) }
    return [name, resource('AWS::EC2::SubnetNetworkAclAssociation', properties, more)]
  })
  return Object.fromEntries(made)
}

function alarmResources(part: AlarmPart): Mapping {
  const { alarm, filter, key, topic } = part
  const watched = resource('AWS::CloudWatch::Alarm', {
    AlarmName: part.name,
    AlarmDescription: part.description,
    Namespace: part.namespace,
    MetricName: part.metric,
    ...(filter === null ? { Dimensions: [{ Name: 'LogGroupName', Value: ref(part.logGroup) }] } : {}),
    Statistic: alarm.statistic,
    ComparisonOperator: alarm.comparison,
    Threshold: Number(part.threshold),
    Period: alarm.period,
    EvaluationPeriods: alarm.periods,
    ...(alarm.datapoints === undefined ? {} : { DatapointsToAlarm: alarm.datapoints }),
    TreatMissingData: alarm.missing,
    AlarmActions: { 'Fn::If': [conditionName(topic), [ref(topic)], { Ref: 'AWS::NoValue' }] },
  })
  if (filter === null) return { [`${pascal(key)}Alarm`]: watched }
  const metricFilter = resource('AWS::Logs::MetricFilter', {
    FilterName: filter.name,
    LogGroupName: ref(part.logGroup),
    FilterPattern: filter.pattern,
    MetricTransformations: [
      { MetricName: part.metric, MetricNamespace: part.namespace, MetricValue: filter.value, Unit: alarm.unit },
    ],
  })
  return { [`${pascal(key)}Filter`]: metricFilter, [`${pascal(key)}Alarm`]: watched }
}

function webAcl(part: RatePart): Mapping {
  const { key, name, action, limit, window } = part
  const visibility = { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: name }
  const rule: Mapping = {
    Name: name,
    Priority: 0,
    Action: { 'Fn::If': [conditionName(action), { Block: {} }, { Count: {} }] },
    Statement: { RateBasedStatement: { Limit: limit, EvaluationWindowSec: window, AggregateKeyType: 'IP' } },
    VisibilityConfig: visibility,
  }
  const properties = {
    Name: name,
    Scope: 'REGIONAL',
    DefaultAction: { Allow: {} },
    VisibilityConfig: visibility,
    Rules: [rule],
  }
  return { [`${pascal(key)}WebAcl`]: resource('AWS::WAFv2::WebACL', properties) }
}

function webAclAssociation({ key, target }: RatePart): Mapping {
  const properties = { ResourceArn: ref(target), WebACLArn: { 'Fn::GetAtt': [`${pascal(key)}WebAcl`, 'Arn'] } }
  const association = resource('AWS::WAFv2::WebACLAssociation', properties, { Condition: conditionName(target) })
  return { [`${pascal(key)}WebAclAssociation`]: association }
}

function flowLog(part: FlowLogPart): Mapping {
  const properties = {
    ResourceId: ref(part.resource),
    ResourceType: part.resourceType,
    TrafficType: 'ALL',
    MaxAggregationInterval: part.interval,
    LogDestinationType: 's3',
    LogDestination: ref(part.bucket),
    LogFormat: part.format,
    DestinationOptions: { FileFormat: 'plain-text', HiveCompatiblePartitions: false, PerHourPartition: true },
    Tags: [{ Key: 'Name', Value: part.name }],
  }
  return { [`${pascal(part.key)}FlowLog`]: resource('AWS::EC2::FlowLog', properties) }
}
