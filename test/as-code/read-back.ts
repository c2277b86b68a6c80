/** Reads documents back, as the parsers of their formats gave them, into the statements of `expected.ts`. */
import { protocolNumber, type Statements, sorted, statement } from './expected.ts'

type Tree = Record<string, unknown>

const comparable = (value: unknown): number => Number(Number(value).toPrecision(12))

/** `c1_ingress_2` and `C1Ingress2` belong to `c1`. */
function owner(name: string): string {
  return /^c\d+/.exec(name.toLowerCase())![0]
}

/** Terraform's JSON of HCL, in which a template is still a template: `$${` stands for `${`. */
export function statementsOfHcl(parsed: Tree): Statements {
  const resources = (parsed['resource'] ?? {}) as Record<string, Record<string, Tree[]>>
  const statements = Object.entries(resources).flatMap(([type, byName]) =>
    Object.entries(byName).map(([name, [body]]) => statementOfHcl(type, name, body!)),
  )
  return sorted(statements.filter(one => one !== null))
}

function statementOfHcl(type: string, name: string, body: Tree): string | null {
  const of = owner(name)
  const inner = (key: string): Tree => (body[key] as Tree[])[0]!
  switch (type) {
    case 'aws_security_group':
      return statement({ of, what: 'group', egress: body['egress'], ingress: body['ingress'] })
    case 'aws_vpc_security_group_ingress_rule':
    case 'aws_vpc_security_group_egress_rule': {
      const direction = type.includes('ingress') ? 'ingress' : 'egress'
      const to =
        body['cidr_ipv4'] ?? body['cidr_ipv6'] ?? hclId(body['referenced_security_group_id'] ?? body['prefix_list_id'])
      const description = hclText(body['description'] ?? '')
      const range = { from: body['from_port'], upTo: body['to_port'] }
      return statement({
        of: groupOfHcl(body),
        what: 'rule',
        direction,
        protocol: protocolNumber(body['ip_protocol']),
        ...range,
        to,
        description,
      })
    }
    case 'aws_network_acl':
      return statement({ of, what: 'acl' })
    case 'aws_network_acl_rule': {
      const { rule_number: number, rule_action: action, egress } = body
      const range = { from: body['from_port'] ?? body['icmp_type'], upTo: body['to_port'] ?? body['icmp_code'] }
      const to = body['cidr_block'] ?? body['ipv6_cidr_block']
      return statement({
        of: groupOfHcl(body, 'network_acl_id'),
        what: 'entry',
        egress,
        number,
        action,
        protocol: Number(body['protocol']),
        ...range,
        to,
      })
    }
    case 'aws_cloudwatch_metric_alarm':
      return statement({
        of,
        what: 'alarm',
        comparison: body['comparison_operator'],
        threshold: comparable(body['threshold']),
        period: body['period'],
        periods: body['evaluation_periods'],
        missing: body['treat_missing_data'],
        statistic: body['statistic'],
        metric: metricOf(body['namespace'], body['metric_name']),
      })
    case 'aws_cloudwatch_log_metric_filter': {
      const { value, unit } = inner('metric_transformation')
      return statement({ of, what: 'filter', pattern: hclText(body['pattern']), value: hclText(value), unit })
    }
    case 'aws_wafv2_web_acl': {
      const rule = inner('rule')
      const rated = ((rule['statement'] as Tree[])[0]!['rate_based_statement'] as Tree[])[0]!
      return statement({ of, what: 'rate', limit: rated['limit'], window: rated['evaluation_window_sec'] })
    }
    case 'aws_flow_log': {
      const resourceType = body['vpc_id'] ? 'VPC' : body['subnet_id'] ? 'Subnet' : 'NetworkInterface'
      const interval = body['max_aggregation_interval']
      return statement({ of, what: 'flow-log', format: hclText(body['log_format']), interval, type: resourceType })
    }
    default:
      return null
  }
}

/** Fails where the template would expand something. */
export function hclText(value: unknown): string {
  const text = String(value)
  if (/(?<![$%])[$%]\{/.test(text)) throw new Error(`expands: ${text}`)
  return text.replace(/([$%])\1\{/g, '$1{')
}

function hclId(value: unknown): string {
  const text = String(value)
  const made = /^\$\{aws_security_group\.(\w+)\.id\}$/.exec(text)
  return made !== null ? `made ${made[1]}` : /^\$\{var\.\w+\}$/.test(text) ? 'variable' : text
}

function groupOfHcl(body: Tree, key = 'security_group_id'): string {
  return /\.(\w+)\.id\}$/.exec(String(body[key]))![1]!
}

function metricOf(namespace: unknown, metric: unknown): string {
  return namespace === 'Tidemark' ? 'Tidemark' : `${namespace} ${metric}`
}

/** A template as cfn-lint reads it. */
export function statementsOfTemplate(template: Tree): Statements {
  const resources = template['Resources'] as Record<string, { Type: string; Properties: Tree }>
  const statements = Object.entries(resources).map(([name, { Type, Properties }]) =>
    statementOfResource(Type, name, Properties),
  )
  return sorted(statements.filter(one => one !== null))
}

function statementOfResource(type: string, name: string, body: Tree): string | null {
  const of = owner(name)
  switch (type) {
    case 'AWS::EC2::SecurityGroup': {
      const [egress, ...more] = body['SecurityGroupEgress'] as Tree[]
      const closed = egress?.['CidrIp'] === '127.0.0.1/32' && more.length === 0
      return statement({ of, what: 'group', ingress: body['SecurityGroupIngress'], open: closed ? null : egress })
    }
    case 'AWS::EC2::SecurityGroupIngress':
    case 'AWS::EC2::SecurityGroupEgress': {
      const direction = type.endsWith('Ingress') ? 'ingress' : 'egress'
      const side = direction === 'ingress' ? 'Source' : 'Destination'
      const id = body[`${side}SecurityGroupId`] ?? body[`${side}PrefixListId`]
      const to = body['CidrIp'] ?? body['CidrIpv6'] ?? templateId(id)
      const range = { from: body['FromPort'], upTo: body['ToPort'] }
      const description = body['Description'] ?? ''
      return statement({
        of: madeOf(body['GroupId']),
        what: 'rule',
        direction,
        protocol: protocolNumber(body['IpProtocol']),
        ...range,
        to,
        description,
      })
    }
    case 'AWS::EC2::NetworkAcl':
      return statement({ of, what: 'acl' })
    case 'AWS::EC2::NetworkAclEntry': {
      const { RuleNumber: number, RuleAction: action, Egress: egress, Protocol: protocol } = body
      const [ports, icmp] = [body['PortRange'], body['Icmp']] as (Tree | undefined)[]
      const range = { from: ports?.['From'] ?? icmp?.['Type'], upTo: ports?.['To'] ?? icmp?.['Code'] }
      const to = body['CidrBlock'] ?? body['Ipv6CidrBlock']
      return statement({
        of: owner((body['NetworkAclId'] as { Ref: string }).Ref),
        what: 'entry',
        egress,
        number,
        action,
        protocol,
        ...range,
        to,
      })
    }
    case 'AWS::CloudWatch::Alarm':
      return statement({ of, what: 'alarm', ...alarmFields(body) })
    case 'AWS::Logs::MetricFilter': {
      const { MetricValue: value, Unit: unit } = (body['MetricTransformations'] as Tree[])[0]!
      return statement({ of, what: 'filter', pattern: body['FilterPattern'], value, unit })
    }
    case 'AWS::WAFv2::WebACL':
      return statement({ of, what: 'rate', ...rateFields(body['Rules']) })
    case 'AWS::EC2::FlowLog':
      return statement({
        of,
        what: 'flow-log',
        format: body['LogFormat'],
        interval: body['MaxAggregationInterval'],
        type: body['ResourceType'],
      })
    default:
      return null
  }
}

function templateId(value: unknown): string {
  if (typeof value === 'string') return value
  return 'Ref' in (value as Tree) ? 'variable' : `made ${madeOf(value)}`
}

function madeOf(value: unknown): string {
  return owner((value as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0]!)
}

/** The same names in CloudFormation and in the API. */
function alarmFields(body: Tree): Record<string, unknown> {
  return {
    comparison: body['ComparisonOperator'],
    threshold: comparable(body['Threshold']),
    period: body['Period'],
    periods: body['EvaluationPeriods'],
    missing: body['TreatMissingData'],
    statistic: body['Statistic'],
    metric: metricOf(body['Namespace'], body['MetricName']),
  }
}

function rateFields(rules: unknown): Record<string, unknown> {
  const rated = ((rules as Tree[])[0]!['Statement'] as Tree)['RateBasedStatement'] as Tree
  return { limit: rated['Limit'], window: rated['EvaluationWindowSec'] }
}

/** A command as the AWS CLI would send it. */
export interface Call {
  operation: string
  parameters: Tree
  /** What the test's own AWS answered: the id that it made. */
  answer: string
}

/** The calls of a script, in their order. Ids that were made are known by their answers, in which the key stands. */
export function statementsOfCalls(calls: readonly Call[], made: ReadonlyMap<string, string>): Statements {
  return sorted(calls.map(call => statementOfCall(call, made)).filter(one => one !== null))
}

function statementOfCall(
  { operation, parameters: body, answer }: Call,
  made: ReadonlyMap<string, string>,
): string | null {
  const of = made.get(answer)
  switch (operation) {
    case 'CreateSecurityGroup':
      return statement({ of, what: 'group' })
    case 'AuthorizeSecurityGroupIngress':
    case 'AuthorizeSecurityGroupEgress':
      return groupRule(operation, body, made)
    case 'CreateNetworkAcl':
      return statement({ of, what: 'acl' })
    case 'CreateNetworkAclEntry': {
      const { RuleNumber: number, RuleAction: action, Egress: egress } = body
      const [ports, icmp] = [body['PortRange'], body['IcmpTypeCode']] as (Tree | undefined)[]
      const range = { from: ports?.['From'] ?? icmp?.['Type'], upTo: ports?.['To'] ?? icmp?.['Code'] }
      const to = body['CidrBlock'] ?? body['Ipv6CidrBlock']
      const acl = made.get(String(body['NetworkAclId']))
      return statement({
        of: acl,
        what: 'entry',
        egress,
        number,
        action,
        protocol: Number(body['Protocol']),
        ...range,
        to,
      })
    }
    case 'PutMetricAlarm':
      return statement({
        of: owner(/^C\d+/.exec(String(body['AlarmDescription']).trim())![0]),
        what: 'alarm',
        ...alarmFields(body),
      })
    case 'PutMetricFilter': {
      const { metricValue: value, unit } = (body['metricTransformations'] as Tree[])[0]!
      return statement({
        of: owner(String(body['filterName'])),
        what: 'filter',
        pattern: body['filterPattern'],
        value,
        unit,
      })
    }
    case 'CreateWebACL':
      return statement({ of, what: 'rate', ...rateFields(body['Rules']) })
    case 'CreateFlowLogs':
      return statement({
        of,
        what: 'flow-log',
        format: body['LogFormat'],
        interval: body['MaxAggregationInterval'],
        type: body['ResourceType'],
      })
    default:
      return null
  }
}

function groupRule(operation: string, body: Tree, made: ReadonlyMap<string, string>): string {
  const [permission] = body['IpPermissions'] as Tree[]
  const { IpProtocol, FromPort: from, ToPort: upTo, ...remotes } = permission!
  const [[remote]] = Object.values(remotes) as [Tree[]]
  const { Description: description = '', ...id } = remote!
  const [to] = Object.values(id).map(String)
  return statement({
    of: made.get(String(body['GroupId'])),
    what: 'rule',
    direction: operation.endsWith('Ingress') ? 'ingress' : 'egress',
    protocol: protocolNumber(IpProtocol),
    from,
    upTo,
    to: made.has(to!) ? `made ${made.get(to!)}` : to!.startsWith('arn:filled') ? 'variable' : to,
    description,
  })
}
