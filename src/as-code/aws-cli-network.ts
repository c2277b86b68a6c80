/** Steps of a script that make groups and ACLs, and put them into effect. */
import { aws, comments, made, named, of, option, shellName, step } from './aws-cli-words.ts'
import { attachWords } from './comment.ts'
import type { AclPart, Attached, GroupPart, Part, Plan, PlannedEntry, PlannedRule, Value, Variable } from './plan.ts'
import { type Hole, type JsonValue, jsonWord, type Word, type WordPart } from './shell.ts'

const returned: [string, Word][] = [
  ['query', 'Return'],
  ['output', 'text'],
]

/** Groups that a rule names before their turn: two may name each other. */
export function groupsAhead({ parts }: Plan): GroupPart[] {
  const groups = parts.filter(part => part.what === 'security-group')
  return groups.filter((group, i) =>
    groups.slice(0, i).some(before => before.rules.some(rule => isNamed(rule.remote, group.key))),
  )
}

function isNamed(remote: PlannedRule['remote'], key: string): boolean {
  return remote.kind === 'group' && typeof remote.id === 'object' && 'made' in remote.id && remote.id.made === key
}

/** The group without any rule. */
export function newGroup(part: GroupPart): string[] {
  const { key, name } = part
  const group: [string, Word] = ['group-id', made(key)]
  return [
    step(
      'make',
      key,
      aws('ec2', 'create-security-group', [
        ['group-name', option(name)],
        ['description', option(part.description)],
        ['vpc-id', of(part.vpc)],
        ['tag-specifications', named('security-group', name)],
        ['query', 'GroupId'],
        ['output', 'text'],
      ]),
    ),
    step('undo', key, aws('ec2', 'delete-security-group', [group])),
    '# AWS puts rules that allow all egress into a new group: they go, and do not come back.',
    step(
      'keep',
      `${key}_default`,
      aws('ec2', 'describe-security-group-rules', [
        ['filters', ['Name=group-id,Values=', { made: key }]],
        ['query', 'SecurityGroupRules[?IsEgress].SecurityGroupRuleId'],
        ['output', 'json'],
      ]),
    ),
    step(
      'make',
      `${key}_closed`,
      aws('ec2', 'revoke-security-group-egress', [
        group,
        ['security-group-rule-ids', made(`${key}_default`)],
        ...returned,
      ]),
    ),
    step('undo', `${key}_closed`, [':']),
  ]
}

export function ruleSteps(part: GroupPart): string[] {
  const { direction } = part
  const group: [string, Word] = ['group-id', made(part.key)]
  return [
    ...part.rules.flatMap(rule => [
      step(
        'make',
        rule.key,
        aws('ec2', `authorize-security-group-${direction}`, [
          group,
          ['ip-permissions', jsonWord([permission(rule)])],
          ['query', 'SecurityGroupRules[0].SecurityGroupRuleId'],
          ['output', 'text'],
        ]),
      ),
      step(
        'undo',
        rule.key,
        aws('ec2', `revoke-security-group-${direction}`, [
          group,
          ['security-group-rule-ids', made(rule.key)],
          ...returned,
        ]),
      ),
    ]),
    ...attaching(part, part, (target, i) => attachGroup(part, target, i)),
  ]
}

function permission({ protocol, range, remote, description }: PlannedRule): JsonValue {
  const told = description === '' ? {} : { Description: description }
  const ports = range === null ? {} : { FromPort: range.from, ToPort: range.to }
  const base = { IpProtocol: protocol, ...ports }
  switch (remote.kind) {
    case 'ipv4':
      return { ...base, IpRanges: [{ CidrIp: remote.cidr, ...told }] }
    case 'ipv6':
      return { ...base, Ipv6Ranges: [{ CidrIpv6: remote.cidr, ...told }] }
    case 'prefix-list':
      return { ...base, PrefixListIds: [{ PrefixListId: idOf(remote.id), ...told }] }
    case 'group':
      return { ...base, UserIdGroupPairs: [{ GroupId: idOf(remote.id), ...told }] }
  }
}

function idOf(value: Value): string | Hole {
  if (typeof value === 'string') return value
  const hole: WordPart = 'made' in value ? { made: value.made } : { variable: shellName(value) }
  return { hole, quoted: true }
}

/** The step that puts the part into effect: only where its variable says so. */
function attaching(
  part: Part,
  { attach, targets }: Attached,
  lines: (target: Variable, i: number) => string[],
): string[] {
  const words = comments(attachWords(part, 'aws_cli'))
  if (attach === null) return words
  const body = targets.flatMap((target, i) => lines(target, i + 1))
  return [
    ...words,
    `if [[ $${shellName(attach)} == yes || $mode == undo ]]; then`,
    ...body.map(line => `  ${line}`),
    'fi',
  ]
}

function attachGroup({ key }: GroupPart, target: Variable, i: number): string[] {
  const attached = `${key}_attached_${i}`
  return [
    step('make', attached, ['attach_group', of(target), made(key)]),
    step('undo', attached, ['detach_group', of(target), made(key)]),
  ]
}

export function aclSteps(part: AclPart): string[] {
  const { key } = part
  return [
    step(
      'make',
      key,
      aws('ec2', 'create-network-acl', [
        ['vpc-id', of(part.vpc)],
        ['tag-specifications', named('network-acl', part.name)],
        ['query', 'NetworkAcl.NetworkAclId'],
        ['output', 'text'],
      ]),
    ),
    step('undo', key, aws('ec2', 'delete-network-acl', [['network-acl-id', made(key)]])),
    ...part.entries.flatMap(entry => entrySteps(key, entry)),
    ...attaching(part, part, (target, i) => attachAcl(part, target, i)),
  ]
}

function entrySteps(acl: string, entry: PlannedEntry): string[] {
  const { ports, icmp } = entry
  const which: [string, Word][] = [
    ['network-acl-id', made(acl)],
    ['rule-number', String(entry.number)],
  ]
  const direction = [entry.egress ? '--egress' : '--ingress']
  return [
    step(
      'make',
      entry.key,
      aws(
        'ec2',
        'create-network-acl-entry',
        [
          ...which,
          ['rule-action', entry.action],
          ['protocol', String(entry.protocol)],
          [entry.ipv6 ? 'ipv6-cidr-block' : 'cidr-block', entry.cidr],
          ['port-range', ports && `From=${ports.from},To=${ports.to}`],
          ['icmp-type-code', icmp && `Type=${icmp.type},Code=${icmp.code}`],
        ],
        direction,
      ),
    ),
    step('undo', entry.key, aws('ec2', 'delete-network-acl-entry', which, direction)),
  ]
}

function attachAcl({ key }: AclPart, target: Variable, i: number): string[] {
  const before = `${key}_before_${i}`
  const attached = `${key}_attached_${i}`
  return [
    step('keep', before, ['acl_of', of(target), 'NetworkAclId']),
    step('make', attached, ['set_acl', of(target), made(key)]),
    step('undo', attached, ['set_acl', of(target), made(before)]),
  ]
}
