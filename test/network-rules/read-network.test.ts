import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { formatAddress } from '../../src/net/address.ts'
import { decider } from '../../src/network-rules/evaluate.ts'
import type { Network, Traffic } from '../../src/network-rules/network.ts'
import { readRules, readRulesOf } from '../../src/network-rules/read-network.ts'
import { acls, control, groups, interfaces, looseRules, subnets, template } from './rule-files.ts'
import { address, connection, told } from './support.ts'

const bytesOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const read = (files: Record<string, unknown>, known: Parameters<typeof readRulesOf>[1] = []) =>
  readRulesOf(
    Object.entries(files).map(([path, value]) => ({ path, bytes: bytesOf(value) })),
    known,
  )

/** What is wrong, and what to do. */
function refused(files: Record<string, unknown>): string {
  try {
    read(files)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return `${error.message} | ${error.hint}`
  }
  return 'read'
}

const traffic = ({ protocol, ports, icmp }: Traffic) =>
  `${protocol ?? 'all'}${ports === null ? '' : ` ${ports.from}-${ports.to}`}${icmp === null ? '' : ` ${icmp.type}/${icmp.code ?? '*'}`}`
const rules = (network: Network, direction: 'ingress' | 'egress') =>
  network.groups[0]![direction].map(rule => {
    const { remote } = rule
    return `${traffic(rule)} ${remote.kind === 'prefix' ? remote.prefix.text : remote.kind === 'group' ? remote.group : remote.list}`
  })

test('reads security groups: a rule for each range, list and group of a permission', () => {
  const { network, files, problems } = read({ 'groups.json': groups })
  assert.deepEqual(rules(network, 'ingress'), [
    ...['6 443-443 0.0.0.0/0', '6 443-443 10.0.0.0/8', '6 443-443 ::/0', '6 443-443 pl-0123', '6 443-443 sg-0b'],
    ...['1 8/* 192.0.2.0/24', '1 3/4 192.0.2.0/24', '58 2001:db8::/32', '47 192.0.2.1'],
  ])
  assert.deepEqual(rules(network, 'egress'), ['all 0.0.0.0/0'])
  assert.deepEqual([network.groups[0]!.id, network.groups[0]!.name, network.groups[0]!.vpc], ['sg-0a', 'web', 'vpc-1'])
  assert.deepEqual(files[0]!.holds, ['2 security groups'])
  assert.deepEqual(problems, [])
})

test('reads network ACLs, their subnets and all entries but those that AWS adds at the end', () => {
  const { network } = read({ 'acls.json': acls, 'subnets.json': subnets })
  const [acl] = network.acls
  const of = (direction: 'ingress' | 'egress') =>
    acl![direction].map(entry => `${entry.number} ${entry.action} ${traffic(entry)} ${entry.prefix.text}`)
  assert.deepEqual(of('ingress'), ['90 allow 1 8/* 192.0.2.0/24', '101 deny 6 80-80 ::/0'])
  assert.deepEqual(of('egress'), ['100 allow 6 1024-65535 0.0.0.0/0'])
  assert.equal(acl!.isDefault, true)
  assert.deepEqual(
    network.subnets.map(({ id, acl, prefixes }) => ({ id, acl, prefixes: prefixes.map(({ text }) => text) })),
    [{ id: 'subnet-1', acl: 'acl-1', prefixes: ['10.0.1.0/24', '2001:db8::/64'] }],
  )
})

test('reads network interfaces with all addresses, delegated prefixes and public addresses', () => {
  const { network } = read({ 'interfaces.json': interfaces })
  const [first, second] = network.interfaces
  const texts = (list: { hi: bigint; lo: bigint }[]) => list.map(({ hi, lo }) => formatAddress(hi, lo))
  assert.deepEqual(texts(first!.addresses), ['10.0.1.5', '10.0.1.6', '2001:db8::5'])
  assert.deepEqual(texts(first!.publicAddresses), ['198.51.100.5', '198.51.100.6'])
  assert.deepEqual(
    first!.prefixes.map(({ text }) => text),
    ['10.0.1.16/28'],
  )
  assert.deepEqual([first!.groups, first!.subnet, first!.vpc], [['sg-0a'], 'subnet-1', 'vpc-1'])
  // A load balancer without groups is filtered by none.
  assert.deepEqual([second!.groups, second!.subnet], [[], null])
})

test('merges files, documents of one file, lists of answers and bare lists, in JSON and YAML', () => {
  const whole = read({ 'g.json': groups, 'a.json': acls, 'i.json': interfaces, 's.json': subnets }).network
  const all = [groups, acls, interfaces, subnets]
  const forms: Record<string, string> = {
    'all.json': all.map(one => JSON.stringify(one, null, 4)).join('\n'),
    'slurped.json': JSON.stringify(all),
    'one.json': JSON.stringify(Object.assign({}, ...all)),
    'twice.json': JSON.stringify([...all, ...all]),
  }
  const { SecurityGroups: one } = groups
  assert.deepEqual(read({ 'twice.json': { SecurityGroups: [...one, ...one] } }).files[0]!.holds, ['2 security groups'])
  for (const [path, text] of Object.entries(forms)) assert.deepEqual(read({ [path]: text }).network, whole, path)
  const bare = { 'g.json': groups.SecurityGroups, 'a.json': acls.NetworkAcls, 'i.json': interfaces.NetworkInterfaces }
  assert.deepEqual(read({ ...bare, 's.json': subnets.Subnets }).network, whole)
  const yaml = 'Subnets:\n- CidrBlock: 10.0.1.0/24\n  SubnetId: subnet-1\n  VpcId: vpc-1\n'
  assert.equal(read({ 'subnets.yaml': yaml }).network.subnets[0]!.id, 'subnet-1')
})

test('puts rules that are told by themselves into their groups', () => {
  const { network } = read({ 'rules.json': looseRules, 'groups.json': groups })
  const found = network.groups[0]!.ingress.find(({ id }) => id === 'sgr-1')
  assert.deepEqual([found?.description, network.groups[0]!.ingress.length], ['from the database', 9])
  assert.deepEqual(
    network.groups.map(({ id }) => id),
    ['sg-0a', 'sg-0b', 'sg-0c'],
  )
  assert.equal(network.groups[2]!.egress[0]!.protocol, null)
})

test('puts prefix lists together out of their description and their entries', () => {
  const lists = {
    PrefixLists: [{ PrefixListId: 'pl-0a1b', PrefixListName: 'office', MaxEntries: 5, AddressFamily: 'IPv4' }],
  }
  const { network } = read({
    'lists.json': lists,
    'pl-0a1b.json': { Entries: [{ Cidr: '192.0.2.0/24', Description: 'x' }] },
  })
  const [list] = network.prefixLists
  assert.deepEqual(
    [list!.name, list!.maxEntries, list!.prefixes?.map(({ text }) => text)],
    ['office', 5, ['192.0.2.0/24']],
  )
  const old = {
    PrefixLists: [{ PrefixListId: 'pl-1', PrefixListName: 'com.amazonaws.us-east-2.s3', Cidrs: ['52.219.80.0/20'] }],
  }
  assert.deepEqual(
    read({ 'old.json': old }).network.prefixLists[0]!.prefixes?.map(({ text }) => text),
    ['52.219.80.0/20'],
  )
  assert.match(
    refused({ 'entries.json': { Entries: [{ Cidr: '192.0.2.0/24' }] } }),
    /does not say of which \| name the file after the list/,
  )
})

test('says which parts are told in two ways, and where', () => {
  const other = structuredClone(groups)
  other.SecurityGroups[1]!.VpcId = 'vpc-9'
  assert.match(
    refused({ 'a.json': groups, 'b.json': other }),
    /^sg-0b is described in two ways: in a\.json: SecurityGroups and in b\.json: SecurityGroups \| give what one account/,
  )
  const rule = { SecurityGroupRules: [{ ...looseRules.SecurityGroupRules[0]!, FromPort: 444, ToPort: 444 }] }
  assert.match(
    refused({ 'a.json': groups, 'b.json': rule }),
    /^sg-0a \(its rule sgr-1\) is described in two ways: in a\.json.* and in b\.json/,
  )
  const second = structuredClone(acls)
  second.NetworkAcls[0]!.NetworkAclId = 'acl-2'
  assert.match(
    refused({ 'a.json': acls, 'b.json': second }),
    /^subnet subnet-1 has two network ACLs: acl-1 in a\.json.*, acl-2 in b\.json/,
  )
})

test('says that a page is not the last', () => {
  const { problems } = read({ 'page.json': { ...groups, NextToken: 'eyJ' } })
  assert.match(problems[0]!.problem, /page\.json: this page is not the last \(it has a NextToken\)/)
})

test('says which file is wrong, where in it, and what to do', () => {
  const broken = (change: (copy: typeof groups) => void) => {
    const copy = structuredClone(groups)
    change(copy)
    return refused({ 'g.json': copy })
  }
  const cases: Record<string, string> = {
    [broken(copy => (copy.SecurityGroups[0]!.GroupId = 5 as unknown as string))]:
      'g.json: SecurityGroups: 0.GroupId: not a text | print it again: aws ec2 describe-security-groups --output json',
    [broken(copy => (copy.SecurityGroups[0]!.IpPermissions[0]!.IpRanges = [{ CidrIp: '10.0.0.0/33' }]))]:
      'g.json: SecurityGroups: 0.IpPermissions.0.IpRanges.0.CidrIp: not a prefix of IPv4',
    [broken(copy => (copy.SecurityGroups[0]!.IpPermissions[0]!.ToPort = 70_000))]:
      'ToPort: not a whole number from -1 to 65535',
    [broken(copy => (copy.SecurityGroups[0]!.IpPermissions[0]!.FromPort = 500))]:
      'IpPermissions.0: ports from 500 to 443: the first is the greater',
    [broken(copy => (copy.SecurityGroups[0]!.IpPermissions[0]!.IpProtocol = 'tpc'))]: 'IpProtocol: not a protocol',
    [refused({ 'x.json': '{"SecurityGroups": [}' })]: 'x.json: not JSON | line 1: ',
    [refused({ 'x.json': '{\n"a": 1,\n oops}' })]: 'x.json: not JSON | line 3: ',
    [refused({ 'x.json': '{"Reservations": []}' })]: 'x.json: nothing that is known | known are what aws ec2',
    [refused({ 'x.json': '' })]: 'x.json: empty | known are',
    [refused({ 'x.txt': 'SECURITYGROUPS\tweb\t111122223333' })]:
      'x.txt: neither JSON nor YAML | what AWS prints as text or table',
    [refused({ 'main.tf': 'resource "aws_security_group" "c1" {}' })]:
      'main.tf: Terraform is not read | give the CloudFormation',
    [refused({ 'x.yaml': 'a: 1\na: 2\n' })]: 'x.yaml: a key stands twice in a mapping | remove one: a',
    [refused({ 'x.json': '[{"a": ["b", {}, "b"], "c\\"": "a"},\n{"a": {"a": 1}, "\\u0061": 2}]' })]:
      'x.json: a key stands twice in a mapping | remove one: line 2: a',
    [refused({ 'x.json': '{"Subnets": []}\n{"Subnets": [],\n"Subnets": []}' })]:
      'x.json: a key stands twice in a mapping | remove one: line 3: Subnets',
    [broken(copy => (copy.SecurityGroups[0]!.IpPermissions[0]!.IpRanges = [{ CidrIp: '0.0.0.0' }]))]:
      'CidrIp: 0.0.0.0 has no length: write 0.0.0.0/32, or what is meant',
  }
  for (const [message, wanted] of Object.entries(cases))
    assert.ok(message.includes(wanted), `${message}\nlacks ${wanted}`)
})

const known = [{ id: 'eni-1', address: address('10.0.1.5'), subnet: 'subnet-1' }]

function expect(network: Network, cases: Record<string, string>): void {
  const decide = decider(network)
  for (const [text, wanted] of Object.entries(cases)) assert.equal(told(decide(connection(text))), wanted, text)
}

const tried = {
  '10.0.1.5:40000 > 198.51.100.9:443 tcp': 'allowed',
  '10.0.1.5:40000 > 198.51.100.9:8889 tcp': 'denied client group egress * request',
  '10.0.1.5:40000 > 203.0.113.7:443 tcp': 'denied client acl egress 90 request',
  '203.0.113.7:40000 > 10.0.1.5:22 tcp': 'denied client acl egress 90 request',
}

test('reads controls of its own, whose rules are for addresses', () => {
  const cases = { ...tried, '203.0.113.7:40000 > 10.0.1.5:22 tcp': 'denied server acl egress 90 answer' }
  const { network, files } = read({ 'controls.json': control }, known)
  expect(network, cases)
  assert.deepEqual(files[0]!.holds, ['2 controls'])
  expect(read({ 'controls.json': control, 'i.json': interfaces, 's.json': subnets }).network, {
    ...cases,
    // The second address of the same interface, and a neighbour in its subnet.
    '10.0.1.6:40000 > 198.51.100.9:8889 tcp': 'denied client group egress * request',
    '10.0.1.9:40000 > 203.0.113.7:443 tcp': 'denied client acl egress 90 request',
  })
})

test('says what is wrong in controls that were edited', () => {
  const broken = (change: (copy: typeof control) => void) => {
    const copy = structuredClone(control)
    change(copy)
    return refused({ 'c.json': copy })
  }
  const first = (copy: typeof control) => copy.controls[0]!
  assert.match(
    broken(copy => (first(copy).rules[0]!.action = 'deny')),
    /^c\.json: controls\.0\.rules\.0: action: a security group only allows/,
  )
  assert.match(
    broken(copy => (first(copy).rules[0]!.direction = 'ingress')),
    /direction: not egress/,
  )
  assert.match(
    broken(copy => (first(copy).rules[0]!.remote = '0.0.0.0/99')),
    /remote: not a prefix/,
  )
  assert.match(
    broken(copy => (copy.controls[1]!.rules[1]!.number = 100)),
    /controls\.1: two egress entries with the number 100/,
  )
  assert.match(
    broken(copy => Reflect.deleteProperty(first(copy), 'applies_to')),
    /controls\.0\.applies_to: not an object/,
  )
  const nameless = structuredClone(control)
  first(nameless).applies_to.addresses = []
  assert.match(
    refused({ 'c.json': nameless }),
    /^C1 is for eni-1, and nothing tells its addresses \| give what aws ec2 describe-network-interfaces/,
  )
  assert.match(
    refused({ 'c.json': control, 'g.json': groups, 'i.json': interfaces }),
    /^c\.json and g\.json: controls of Tidemark, and groups or network ACLs of AWS/,
  )
  const nobody = structuredClone(control)
  nobody.controls[1]!.applies_to = { addresses: [], interfaces: [], subnets: [] }
  assert.match(read({ 'c.json': nobody }, known).problems[0]!.problem, /^C2 is for no address/)
})

test('reads groups and network ACLs of a template, with references to parameters and resources', () => {
  const cases = { ...tried, '203.0.113.7:40000 > 10.0.1.5:22 tcp': 'denied server acl egress 90 answer' }
  const { network, files, problems } = read({ 't.yaml': template })
  expect(network, cases)
  assert.deepEqual([files[0]!.holds, problems], [['2 controls'], []])
  assert.equal(network.subnets[0]!.id, 'subnet-1')
  const { problems: none } = read({ 't.yaml': template.replaceAll('For: [10.0.1.5]', 'For: []') })
  assert.match(none[0]!.problem, /t\.yaml: Resources\.C1Group: nothing says what it is for/)
  assert.match(
    refused({ 't.yaml': template.replace('CidrIp: 0.0.0.0/0', 'CidrIp: !Sub "$' + '{Where}"') }),
    /^t\.yaml: Resources\.C1Rule1: CidrIp: not a text \| references are followed/,
  )
})

test('reads files from the disk, and names the option that named one that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-rules-'))
  const path = join(folder, 'groups.json')
  try {
    writeFileSync(path, JSON.stringify(groups))
    const { files } = readRules([path])
    assert.deepEqual([files[0]!.path, files[0]!.sha256.length], [path, 64])
    assert.throws(() => readRules([join(folder, 'none.json')]), /^UserError: --try .*none\.json: no such file/)
    assert.throws(() => readRules([folder]), /^UserError: --try .*: a folder|is a folder|not a regular/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an ACL of AWS is for the interfaces whose subnet the evidence tells, where the files do not', () => {
  const entry = { RuleNumber: 100, Protocol: '-1', CidrBlock: '0.0.0.0/0' }
  const acl = {
    ...{ NetworkAclId: 'acl-1', VpcId: 'vpc-1', IsDefault: false, Associations: [] as object[] },
    Entries: [
      { ...entry, RuleAction: 'allow', Egress: false },
      { ...entry, RuleAction: 'deny', Egress: true },
    ],
  }
  acl.Associations.push({ NetworkAclAssociationId: 'a1', NetworkAclId: 'acl-1', SubnetId: 'subnet-1' })
  const file = { 'a.json': { NetworkAcls: [acl] } }
  const elsewhere = { id: 'eni-2', address: address('10.0.2.5'), subnet: 'subnet-2' }
  const { network } = read(file, [...known, elsewhere])
  expect(network, {
    '203.0.113.7:40000 > 10.0.1.5:22 tcp': 'denied server acl egress 100 answer',
    '203.0.113.7:40000 > 10.0.2.5:22 tcp': 'undecided no-subnet',
  })
  assert.deepEqual(
    network.interfaces.map(({ id }) => id),
    ['eni-1'],
  )
  // What a file says counts: the address is in another subnet, whose ACL nobody describes.
  const other = { Subnets: [{ SubnetId: 'subnet-9', VpcId: 'vpc-1', CidrBlock: '10.0.1.0/24' }] }
  expect(read({ ...file, 's.json': other }, known).network, {
    '203.0.113.7:40000 > 10.0.1.5:22 tcp': 'undecided acl-not-described',
  })
})
