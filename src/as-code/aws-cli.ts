/** A bash script for the AWS CLI: each step with what takes it back beside it. */
import { aclSteps, groupsAhead, newGroup, ruleSteps } from './aws-cli-network.ts'
import { aws, comments, made, named, of, option, shellName, step } from './aws-cli-words.ts'
import { attachWords, heading, preamble } from './comment.ts'
import type { AlarmPart, Attached, FlowLogPart, Part, Plan, RatePart, Variable } from './plan.ts'
import { aclFrame, groupFrame, scriptEnd, scriptFrame, webAclFrame } from './script-frame.ts'
import { type JsonValue, jsonWord, shellString, type Word } from './shell.ts'

export function awsCliOf(plan: Plan): string {
  return [
    '#!/usr/bin/env bash',
    '# shellcheck disable=SC2016,SC1003 # A $ or \\ in quotes is for AWS to read.',
    ...comments([
      ...preamble(plan),
      '',
      'Without an option it shows what it would do, and changes nothing. EC2 is asked whether it would (--dry-run).',
      '--apply does it; what it makes is noted beside the script, in a file with .state behind its name.',
      '--undo takes back what that file has, the last first, and nothing else.',
    ]),
    'set -euo pipefail',
    '',
    ...plan.variables.flatMap(variableLines),
    '',
    scriptFrame,
    ...framesOf(plan),
    ...checks(plan),
    ...foundBefore(plan),
    ...groupsAhead(plan).flatMap(part => [
      '',
      `# ${part.item.id}: a rule before it names this group.`,
      ...newGroup(part),
    ]),
    ...plan.parts.flatMap(part => ['', ...comments(heading(part.item)), ...steps(part, plan)]),
    '',
    scriptEnd,
  ].join('\n')
}

/** The functions that the steps call. */
function framesOf({ parts }: Plan): string[] {
  const has = (what: Part['what']): boolean => parts.some(part => part.what === what)
  return [
    ...(has('security-group') ? [groupFrame] : []),
    ...(has('network-acl') ? [aclFrame] : []),
    ...(has('rate-rule') ? [webAclFrame] : []),
  ]
}

function variableLines(variable: Variable): string[] {
  const { about, value, kind } = variable
  const told = { text: about, optional: about, flag: `${about}: yes or no`, action: `${about}: count or block` }[kind]
  const given = { text: value ?? '', optional: value ?? '', flag: 'no', action: value ?? 'count' }[kind]
  return [`# ${told}`, `${shellName(variable)}=${shellString(given)}`]
}

/** Stops before anything is done where a variable is not as it must be, or the account is another. */
function checks({ variables, region, account, parts }: Plan): string[] {
  const targets = parts.flatMap(part => ('attach' in part ? attachNeeds(part) : []))
  const lines = variables.flatMap(variable => {
    const name = shellName(variable)
    if (variable.kind === 'text') return [`need ${name} "$${name}" ${shellString(variable.about)}`]
    const allowed = { optional: null, flag: ['yes', 'no'], action: ['count', 'block'] }[variable.kind]
    if (allowed === null) return []
    return [
      `[[ $${name} == ${allowed[0]} || $${name} == ${allowed[1]} ]] || die '${name} is ${allowed[0]} or ${allowed[1]}'`,
    ]
  })
  lines.push(...targets)
  if (region !== null)
    lines.push(`export AWS_REGION="$${shellName(region)}" AWS_DEFAULT_REGION="$${shellName(region)}"`)
  lines.push("export AWS_PAGER=''")
  return [
    ...lines,
    `if [[ $mode == undo && ! -f $state ]]; then die "no $state: nothing to take back"; fi`,
    'if [[ $mode == apply && -n $unset_names ]]; then exit 1; fi',
    account === null ? "check_account ''" : `check_account "$${shellName(account)}"`,
  ]
}

/** What is to be attached must be told before anything is done. */
function attachNeeds({ attach, targets }: Attached): string[] {
  if (attach === null) return []
  const needs = targets.map(target => `need ${shellName(target)} "$${shellName(target)}" ${shellString(target.about)}`)
  return [`if [[ $${shellName(attach)} == yes ]]; then`, ...needs.map(line => `  ${line}`), 'fi']
}

/** What would be written over, or cannot be attached to, is found before anything is done. */
function foundBefore({ parts }: Plan): string[] {
  const lines = parts.flatMap(part => {
    if (part.what === 'metric-alarm') return alarmBefore(part)
    return part.what === 'rate-rule' ? rateBefore(part) : []
  })
  return lines.length === 0 ? [] : ['', '# What is there already, and not from this script, is in the way.', ...lines]
}

function alarmBefore({ key, name, filter, logGroup }: AlarmPart): string[] {
  const alarms = aws('cloudwatch', 'describe-alarms', [
    ['alarm-names', option(name)],
    ['query', 'MetricAlarms[].AlarmArn'],
    ['output', 'text'],
  ])
  if (filter === null) return [step('absent', `${key}_alarm`, alarms)]
  const filters = aws('logs', 'describe-metric-filters', [
    ['log-group-name', of(logGroup)],
    ['filter-name-prefix', filter.name],
    ['query', `metricFilters[?filterName=='${filter.name}'].filterName`],
    ['output', 'text'],
  ])
  return [step('absent', `${key}_filter`, filters), step('absent', `${key}_alarm`, alarms)]
}

function rateBefore({ key, target }: RatePart): string[] {
  const attached = aws('wafv2', 'get-web-acl-for-resource', [
    ['resource-arn', of(target)],
    ['query', 'WebACL.Name'],
    ['output', 'text'],
  ])
  return [`if [[ -n $${shellName(target)} ]]; then ${step('absent', `${key}_attached`, attached)}; fi`]
}

function steps(part: Part, plan: Plan): string[] {
  switch (part.what) {
    case 'security-group':
      return [...(groupsAhead(plan).includes(part) ? [] : newGroup(part)), ...ruleSteps(part)]
    case 'network-acl':
      return aclSteps(part)
    case 'metric-alarm':
      return alarmSteps(part)
    case 'rate-rule':
      return rateSteps(part)
    case 'flow-log':
      return flowLogSteps(part)
  }
}

function alarmSteps(part: AlarmPart): string[] {
  const { key, alarm, filter, name } = part
  const topic = shellName(part.topic)
  const watched = aws('cloudwatch', 'put-metric-alarm', [
    ['alarm-name', option(name)],
    ['alarm-description', option(part.description)],
    ['namespace', part.namespace],
    ['metric-name', part.metric],
    ['dimensions', filter === null ? ['Name=LogGroupName,Value=', { variable: shellName(part.logGroup) }] : null],
    ['statistic', alarm.statistic],
    ['comparison-operator', alarm.comparison],
    ['threshold', part.threshold],
    ['period', String(alarm.period)],
    ['evaluation-periods', String(alarm.periods)],
    ['datapoints-to-alarm', alarm.datapoints === undefined ? null : String(alarm.datapoints)],
    ['treat-missing-data', alarm.missing],
  ])
  return [
    ...(filter === null ? [] : filterSteps(part, filter)),
    `${step('make', `${key}_alarm`, watched)} \${${topic}:+--alarm-actions "$${topic}"}`,
    step('undo', `${key}_alarm`, aws('cloudwatch', 'delete-alarms', [['alarm-names', option(name)]])),
  ]
}

function filterSteps(part: AlarmPart, filter: NonNullable<AlarmPart['filter']>): string[] {
  const { key, alarm } = part
  const logGroup: [string, Word] = ['log-group-name', of(part.logGroup)]
  const transformation = {
    metricName: part.metric,
    metricNamespace: part.namespace,
    metricValue: filter.value,
    unit: alarm.unit,
  }
  return [
    step(
      'make',
      `${key}_filter`,
      aws('logs', 'put-metric-filter', [
        logGroup,
        ['filter-name', filter.name],
        ['filter-pattern', option(filter.pattern)],
        ['metric-transformations', jsonWord([transformation])],
      ]),
    ),
    step('undo', `${key}_filter`, aws('logs', 'delete-metric-filter', [logGroup, ['filter-name', filter.name]])),
  ]
}

function rateSteps(part: RatePart): string[] {
  const { key, name } = part
  const target = shellName(part.target)
  const visibility = { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: name }
  const rule: JsonValue = {
    Name: name,
    Priority: 0,
    Action: { hole: { variable: `${key}_action` }, quoted: false },
    Statement: { RateBasedStatement: { Limit: part.limit, EvaluationWindowSec: part.window, AggregateKeyType: 'IP' } },
    VisibilityConfig: visibility,
  }
  const scope: [string, Word][] = [
    ['name', name],
    ['scope', 'REGIONAL'],
  ]
  const arn = `${key}_arn`
  return [
    `${key}_action='{"Count":{}}'`,
    `if [[ $${shellName(part.action)} == block ]]; then ${key}_action='{"Block":{}}'; fi`,
    step(
      'make',
      key,
      aws('wafv2', 'create-web-acl', [
        ...scope,
        ['default-action', 'Allow={}'],
        ['visibility-config', jsonWord(visibility)],
        ['rules', jsonWord([rule])],
        ['query', 'Summary.Id'],
        ['output', 'text'],
      ]),
    ),
    step('undo', key, ['delete_web_acl', name, made(key)]),
    ...comments(attachWords(part, 'aws_cli')),
    `if [[ -n $${target} ]]; then`,
    ...[
      step(
        'keep',
        arn,
        aws('wafv2', 'get-web-acl', [...scope, ['id', made(key)], ['query', 'WebACL.ARN'], ['output', 'text']]),
      ),
      step(
        'make',
        `${key}_attached`,
        aws('wafv2', 'associate-web-acl', [
          ['resource-arn', of(part.target)],
          ['web-acl-arn', made(arn)],
        ]),
      ),
      step('undo', `${key}_attached`, aws('wafv2', 'disassociate-web-acl', [['resource-arn', of(part.target)]])),
    ].map(line => `  ${line}`),
    'fi',
  ]
}

function flowLogSteps(part: FlowLogPart): string[] {
  return [
    step(
      'make',
      part.key,
      aws('ec2', 'create-flow-logs', [
        ['resource-type', part.resourceType],
        ['resource-ids', of(part.resource)],
        ['traffic-type', 'ALL'],
        ['max-aggregation-interval', String(part.interval)],
        ['log-destination-type', 's3'],
        ['log-destination', of(part.bucket)],
        ['log-format', part.format],
        ['destination-options', 'FileFormat=plain-text,HiveCompatiblePartitions=false,PerHourPartition=true'],
        ['tag-specifications', named('vpc-flow-log', part.name)],
        ['query', 'FlowLogIds[0]'],
        ['output', 'text'],
      ]),
    ),
    step('undo', part.key, aws('ec2', 'delete-flow-logs', [['flow-log-ids', made(part.key)]])),
  ]
}
