/** Terraform, for the AWS provider: separate resources for rules, so that one can be taken out by itself. */
import { attachWords, heading, preamble } from './comment.ts'
import { attribute, block, type Expression, type HclItem, hclString, printHcl } from './hcl.ts'
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

export function terraformOf(plan: Plan): string {
  const comment = preamble(plan).map(line => `# ${line}\n`)
  const code = printHcl([
    versions(),
    provider(plan),
    ...plan.variables.map(variableBlock),
    ...plan.parts.flatMap(part => [{ comment: heading(part.item) }, ...resourcesOf(part)]),
  ])
  return `${comment.join('')}\n${code}`
}

function versions(): HclItem {
  return block(
    ['terraform'],
    attribute('required_version', '>= 1.2'),
    block(
      ['required_providers'],
      attribute('aws', { expression: '{\n      source  = "hashicorp/aws"\n      version = ">= 5.40"\n    }' }),
    ),
  )
}

function provider({ region, account }: Plan): HclItem {
  return block(
    ['provider', 'aws'],
    attribute('region', region && variableOf(region)),
    attribute('allowed_account_ids', account && [variableOf(account)]),
  )
}

function variableBlock(variable: Variable): HclItem {
  const { name, about, value, kind } = variable
  const empty = { text: value, optional: value ?? '', flag: false, action: value ?? 'count' }[kind]
  const check = {
    text: `var.${name} != ""`,
    optional: null,
    flag: null,
    action: `contains(["count", "block"], var.${name})`,
  }[kind]
  const words = kind === 'action' ? `Set ${name} to "count" or "block".` : `Set ${name}: ${about}.`
  return block(
    ['variable', name],
    attribute('description', about),
    attribute('type', { expression: kind === 'flag' ? 'bool' : 'string' }),
    attribute('default', empty),
    check === null
      ? null
      : block(['validation'], attribute('condition', { expression: check }), attribute('error_message', words)),
  )
}

function resourcesOf(part: Part): HclItem[] {
  switch (part.what) {
    case 'security-group':
      return groupResources(part)
    case 'network-acl':
      return aclResources(part)
    case 'metric-alarm':
      return alarmResources(part)
    case 'rate-rule':
      return rateResources(part)
    case 'flow-log':
      return [flowLogResource(part)]
  }
}

function groupResources(part: GroupPart): HclItem[] {
  const { key, direction, attach, targets } = part
  return [
    resource(
      'aws_security_group',
      key,
      attribute('name', part.name),
      attribute('description', part.description),
      attribute('vpc_id', variableOf(part.vpc)),
      { comment: ["No egress block: Terraform takes AWS's default rule, which allows all, out of the group."] },
      attribute('tags', tags(part.name)),
    ),
    ...part.rules.map(rule => ruleResource(part, rule, `aws_vpc_security_group_${direction}_rule`)),
    { comment: attachWords(part, 'terraform') },
    ...(attach === null ? [] : targets).map((target, i) =>
      resource(
        'aws_network_interface_sg_attachment',
        `${key}_${i + 1}`,
        attribute('count', countIf(attach!)),
        attribute('security_group_id', { expression: `aws_security_group.${key}.id` }),
        attribute('network_interface_id', variableOf(target)),
        notEmpty(target),
      ),
    ),
  ]
}

function ruleResource(part: GroupPart, rule: PlannedRule, type: string): HclItem {
  const { remote, range } = rule
  const idName = remote.kind === 'group' ? 'referenced_security_group_id' : 'prefix_list_id'
  return resource(
    type,
    rule.key,
    attribute('security_group_id', { expression: `aws_security_group.${part.key}.id` }),
    attribute('description', rule.description === '' ? null : rule.description),
    'cidr' in remote ? attribute(`cidr_${remote.kind}`, remote.cidr) : attribute(idName, idValue(remote.id)),
    attribute('ip_protocol', rule.protocol),
    attribute('from_port', range?.from),
    attribute('to_port', range?.to),
  )
}

function aclResources(part: AclPart): HclItem[] {
  const { key, attach, targets } = part
  return [
    resource('aws_network_acl', key, attribute('vpc_id', variableOf(part.vpc)), attribute('tags', tags(part.name))),
    ...part.entries.map(entry => entryResource(key, entry)),
    { comment: attachWords(part, 'terraform') },
    ...(attach === null ? [] : targets).map((target, i) =>
      resource(
        'aws_network_acl_association',
        `${key}_${i + 1}`,
        attribute('count', countIf(attach!)),
        attribute('network_acl_id', { expression: `aws_network_acl.${key}.id` }),
        attribute('subnet_id', variableOf(target)),
        { comment: ['An ACL without its entries stops everything.'] },
        attribute(
          'depends_on',
          part.entries.map(entry => ({ expression: `aws_network_acl_rule.${entry.key}` })),
        ),
        notEmpty(target),
      ),
    ),
  ]
}

function entryResource(key: string, entry: PlannedEntry): HclItem {
  const { ports, icmp } = entry
  return resource(
    'aws_network_acl_rule',
    entry.key,
    attribute('network_acl_id', { expression: `aws_network_acl.${key}.id` }),
    attribute('egress', entry.egress),
    attribute('rule_number', entry.number),
    attribute('rule_action', entry.action),
    attribute('protocol', String(entry.protocol)),
    attribute(entry.ipv6 ? 'ipv6_cidr_block' : 'cidr_block', entry.cidr),
    attribute('from_port', ports?.from),
    attribute('to_port', ports?.to),
    attribute('icmp_type', icmp?.type),
    attribute('icmp_code', icmp?.code),
  )
}

function alarmResources(part: AlarmPart): HclItem[] {
  const { key, alarm, filter, topic } = part
  const transformation = (value: string): HclItem =>
    block(
      ['metric_transformation'],
      attribute('name', part.metric),
      attribute('namespace', part.namespace),
      attribute('value', value),
      attribute('unit', alarm.unit),
    )
  const metricFilter =
    filter &&
    resource(
      'aws_cloudwatch_log_metric_filter',
      key,
      attribute('name', filter.name),
      attribute('log_group_name', variableOf(part.logGroup)),
      attribute('pattern', filter.pattern),
      transformation(filter.value),
    )
  const watched = resource(
    'aws_cloudwatch_metric_alarm',
    key,
    attribute('alarm_name', part.name),
    attribute('alarm_description', part.description),
    attribute('namespace', part.namespace),
    attribute('metric_name', part.metric),
    attribute('dimensions', filter ? null : { expression: `{ LogGroupName = var.${part.logGroup.name} }` }),
    attribute('statistic', alarm.statistic),
    attribute('comparison_operator', alarm.comparison),
    attribute('threshold', { expression: part.threshold }),
    attribute('period', alarm.period),
    attribute('evaluation_periods', alarm.periods),
    attribute('datapoints_to_alarm', alarm.datapoints ?? null),
    attribute('treat_missing_data', alarm.missing),
    attribute('alarm_actions', { expression: `var.${topic.name} == "" ? [] : [var.${topic.name}]` }),
  )
  return metricFilter === null ? [watched] : [metricFilter, watched]
}

function rateResources(part: RatePart): HclItem[] {
  const { key, name, action, target } = part
  const when = (what: 'count' | 'block'): HclItem =>
    block(
      ['dynamic', what],
      attribute('for_each', { expression: `var.${action.name} == "${what}" ? [1] : []` }),
      block(['content']),
    )
  const rate = block(
    ['rate_based_statement'],
    attribute('limit', part.limit),
    attribute('evaluation_window_sec', part.window),
    attribute('aggregate_key_type', 'IP'),
  )
  return [
    resource(
      'aws_wafv2_web_acl',
      key,
      attribute('name', name),
      attribute('scope', 'REGIONAL'),
      block(['default_action'], block(['allow'])),
      block(
        ['rule'],
        attribute('name', name),
        attribute('priority', 0),
        block(['action'], when('count'), when('block')),
        block(['statement'], rate),
        visibility(name),
      ),
      visibility(name),
    ),
    { comment: attachWords(part, 'terraform') },
    resource(
      'aws_wafv2_web_acl_association',
      key,
      attribute('count', { expression: `var.${target.name} == "" ? 0 : 1` }),
      attribute('resource_arn', variableOf(target)),
      attribute('web_acl_arn', { expression: `aws_wafv2_web_acl.${key}.arn` }),
    ),
  ]
}

function visibility(name: string): HclItem {
  return block(
    ['visibility_config'],
    attribute('cloudwatch_metrics_enabled', true),
    attribute('metric_name', name),
    attribute('sampled_requests_enabled', true),
  )
}

function flowLogResource(part: FlowLogPart): HclItem {
  const of = { VPC: 'vpc_id', Subnet: 'subnet_id', NetworkInterface: 'eni_id' }[part.resourceType]
  return resource(
    'aws_flow_log',
    part.key,
    attribute(of, variableOf(part.resource)),
    attribute('traffic_type', 'ALL'),
    attribute('max_aggregation_interval', part.interval),
    attribute('log_destination_type', 's3'),
    attribute('log_destination', variableOf(part.bucket)),
    attribute('log_format', part.format),
    attribute('tags', tags(part.name)),
    block(
      ['destination_options'],
      attribute('file_format', 'plain-text'),
      attribute('hive_compatible_partitions', false),
      attribute('per_hour_partition', true),
    ),
  )
}

function resource(type: string, name: string, ...items: (HclItem | null)[]): HclItem {
  return block(['resource', type, name], ...items)
}

function variableOf(variable: Variable): Expression {
  return { expression: `var.${variable.name}` }
}

function idValue(value: Value): string | Expression {
  if (typeof value === 'string') return value
  return 'made' in value ? { expression: `aws_security_group.${value.made}.id` } : variableOf(value)
}

function tags(name: string): Expression {
  return { expression: `{ Name = ${hclString(name)} }` }
}

function countIf(flag: Variable): Expression {
  return { expression: `var.${flag.name} ? 1 : 0` }
}

/** Stops where the step is asked for and nobody said for what. */
function notEmpty({ name, about }: Variable): HclItem {
  return block(
    ['lifecycle'],
    block(
      ['precondition'],
      attribute('condition', { expression: `var.${name} != ""` }),
      attribute('error_message', `Set ${name}: ${about}.`),
    ),
  )
}
