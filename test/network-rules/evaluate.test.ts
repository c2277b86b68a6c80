import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decider } from '../../src/network-rules/evaluate.ts'
import type { Network } from '../../src/network-rules/network.ts'
import { acl, address, connection, group, network, networkInterface, prefix, subnet, told } from './support.ts'

/** Decides each connection, and compares with the word or two beside it. */
function expect(rules: Partial<Network>, cases: Record<string, string>, from_us: number | null = null): void {
  const decide = decider(network(rules), { from_us })
  for (const [text, wanted] of Object.entries(cases)) assert.equal(told(decide(connection(text))), wanted, text)
}

// Amazon VPC User Guide, "Custom network ACL" (the tables of an ACL for HTTP, HTTPS, SSH and RDP).
const customAcl = acl(
  'acl-1',
  [
    '100 allow tcp 80 0.0.0.0/0',
    '105 allow tcp 80 ::/0',
    '110 allow tcp 443 0.0.0.0/0',
    '115 allow tcp 443 ::/0',
    '120 allow tcp 22 192.0.2.0/24',
    '130 allow tcp 3389 192.0.2.0/24',
    '140 allow tcp 32768-65535 0.0.0.0/0',
    '145 allow tcp 32768-65535 ::/0',
  ],
  [
    '100 allow tcp 80 0.0.0.0/0',
    '105 allow tcp 80 ::/0',
    '110 allow tcp 443 0.0.0.0/0',
    '115 allow tcp 443 ::/0',
    '120 allow tcp 1024-65535 192.0.2.0/24',
    '140 allow tcp 32768-65535 0.0.0.0/0',
    '145 allow tcp 32768-65535 ::/0',
  ],
)
const customSubnet = {
  acls: [customAcl],
  subnets: [subnet('subnet-1', ['10.0.1.0/24', '2001:db8:1234:1a00::/64'], 'acl-1')],
}

test('decides the custom network ACL of the VPC guide as its comments say', () => {
  expect(customSubnet, {
    // "Allows inbound HTTP traffic from any IPv4 address", and its answers to 32768-65535.
    '203.0.113.5:50000 > 10.0.1.5:80 tcp': 'allowed',
    // "destined for the HTTPS port (443) ... does match the second rule".
    '203.0.113.5:50000 > 10.0.1.5:443 tcp': 'allowed',
    // "If the packet had been destined for port 139 (NetBIOS), ... the * rule ultimately denies the packet".
    '203.0.113.5:50000 > 10.0.1.5:139 tcp': 'denied server acl ingress * request',
    // SSH from the home network alone.
    '192.0.2.7:50000 > 10.0.1.5:22 tcp': 'allowed',
    '198.51.100.7:50000 > 10.0.1.5:22 tcp': 'denied server acl ingress * request',
    '192.0.2.7:50000 > 10.0.1.5:3389 tcp': 'allowed',
    // Rule 120 outbound: to clients at home from 1024 on, to all others from 32768 on.
    '192.0.2.7:1025 > 10.0.1.5:80 tcp': 'allowed',
    '203.0.113.5:1025 > 10.0.1.5:80 tcp': 'denied server acl egress * answer',
    // What begins in the subnet: HTTP and HTTPS, answers to 32768-65535.
    '10.0.1.5:40000 > 203.0.113.5:443 tcp': 'allowed',
    '10.0.1.5:20000 > 203.0.113.5:443 tcp': 'denied client acl ingress * answer',
    '10.0.1.5:40000 > 203.0.113.5:25 tcp': 'denied client acl egress * request',
    // The ports of answers are open to what is sent unasked, too: an ACL keeps no state.
    '203.0.113.5:80 > 10.0.1.5:40000 tcp': 'allowed',
    // "none of the rules for the IPv4 traffic apply to the IPv6 traffic".
    '[2001:db8:ffff::1]:50000 > [2001:db8:1234:1a00::5]:80 tcp': 'allowed',
    '[2001:db8:ffff::1]:50000 > [2001:db8:1234:1a00::5]:22 tcp': 'denied server acl ingress * request',
    // TCP alone is let in.
    '203.0.113.5:50000 > 10.0.1.5:443 udp': 'denied server acl ingress * request',
  })
})

test('needs the ephemeral ports of the client’s system in a network ACL', () => {
  const open = (ports: string) => ({
    acls: [acl('acl-1', ['100 allow tcp 443 0.0.0.0/0'], [`100 allow tcp ${ports} 0.0.0.0/0`])],
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-1')],
  })
  const linux = '203.0.113.5:33000 > 10.0.1.5:443 tcp'
  const windows = '203.0.113.5:49152 > 10.0.1.5:443 tcp'
  const balancer = '203.0.113.5:1024 > 10.0.1.5:443 tcp'
  const no = 'denied server acl egress * answer'
  expect(open('1024-65535'), { [linux]: 'allowed', [windows]: 'allowed', [balancer]: 'allowed' })
  expect(open('32768-61000'), { [linux]: 'allowed', [windows]: 'allowed', [balancer]: no })
  expect(open('49152-65535'), { [linux]: no, [windows]: 'allowed', [balancer]: no })
})

test('lets the entry with the lowest number decide, in whatever order entries stand', () => {
  const rules = (ingress: string[]) => ({
    acls: [acl('acl-1', ingress, ['100 allow all 0.0.0.0/0'])],
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-1')],
  })
  const asked = '203.0.113.5:40000 > 10.0.1.5:22 tcp'
  expect(rules(['200 allow all 0.0.0.0/0', '100 deny tcp 22 203.0.113.0/24']), {
    [asked]: 'denied server acl ingress 100 request',
    '203.0.113.5:40000 > 10.0.1.5:80 tcp': 'allowed',
  })
  expect(rules(['100 allow all 0.0.0.0/0', '200 deny tcp 22 203.0.113.0/24']), { [asked]: 'allowed' })
})

test('asks no network ACL within one subnet, and both between two', () => {
  const rules = {
    acls: [acl('acl-none', [], []), acl('acl-all', ['100 allow all 0.0.0.0/0'], ['100 allow all 0.0.0.0/0'])],
    subnets: [
      subnet('subnet-1', ['10.0.1.0/24'], 'acl-none'),
      subnet('subnet-2', ['10.0.2.0/24'], 'acl-all'),
      subnet('subnet-3', ['10.0.3.0/24'], 'acl-all'),
    ],
  }
  expect(rules, {
    '10.0.1.5:40000 > 10.0.1.6:80 tcp': 'allowed no-border',
    '10.0.1.5:40000 > 10.0.2.6:80 tcp': 'denied client acl egress * request',
    '10.0.2.5:40000 > 10.0.1.6:80 tcp': 'denied server acl ingress * request',
    '10.0.2.5:40000 > 10.0.3.6:80 tcp': 'allowed',
    '203.0.113.5:40000 > 198.51.100.1:80 tcp': 'allowed no-border',
  })
})

// Amazon VPC User Guide, "Flow log record examples": a ping that the ACL lets in, and whose answer it rejects.
test('lets a ping in and stops its answer, where groups allow it and the network ACL does not', () => {
  const rules = {
    groups: [group('sg-1', ['icmp 0.0.0.0/0'], [])],
    acls: [acl('acl-1', ['100 allow icmp 0.0.0.0/0'], [])],
    interfaces: [networkInterface('172.31.16.139', ['sg-1'], { subnet: 'subnet-1' })],
    subnets: [subnet('subnet-1', ['172.31.16.0/20'], 'acl-1')],
  }
  expect(rules, {
    '203.0.113.12 > 172.31.16.139 icmp 8': 'denied server acl egress * answer (answers)',
    // UDP arrives all the same, too; a TCP connection does not come about.
    '203.0.113.12 > 172.31.16.139 icmp': 'denied server acl egress * answer (answers)',
  })
  const open = { ...rules, acls: [acl('acl-1', ['100 allow all 0.0.0.0/0'], ['100 deny all 0.0.0.0/0'])] }
  const groups = [group('sg-1', ['all 0.0.0.0/0'], [])]
  expect(
    { ...open, groups },
    {
      '203.0.113.12:5000 > 172.31.16.139:53 udp': 'denied server acl egress 100 answer (answers)',
      '203.0.113.12:5000 > 172.31.16.139:53 tcp': 'denied server acl egress 100 answer',
      '203.0.113.12:5000 > 172.31.16.139:53 sctp': 'denied server acl egress 100 answer',
      '203.0.113.12 > 172.31.16.139 gre': 'denied server acl egress 100 answer (answers)',
    },
  )
})

// Amazon VPC User Guide, "Security group rules", "Example rules": web servers, and database servers behind them.
const webServers = {
  groups: [
    group(
      'sg-web',
      [
        'tcp 80 0.0.0.0/0',
        'tcp 80 ::/0',
        'tcp 443 0.0.0.0/0',
        'tcp 443 ::/0',
        'tcp 22 192.0.2.0/24',
        'tcp 3389 192.0.2.0/24',
      ],
      ['tcp 1433 sg-mssql', 'tcp 3306 sg-mysql'],
    ),
    group('sg-mssql', ['tcp 1433 sg-web']),
    group('sg-mysql', ['tcp 3306 sg-web']),
  ],
  interfaces: [
    networkInterface('10.0.1.5 2001:db8:1234:1a00::5', ['sg-web'], { publicAddresses: [address('198.51.100.5')] }),
    networkInterface('10.0.1.6', ['sg-web']),
    networkInterface('10.0.2.7', ['sg-mssql'], { publicAddresses: [address('198.51.100.7')] }),
    networkInterface('10.0.2.8', ['sg-mysql']),
  ],
}

test('decides the groups of web and database servers of the VPC guide', () => {
  expect(webServers, {
    '203.0.113.5:50000 > 10.0.1.5:80 tcp': 'allowed',
    '203.0.113.5:50000 > 10.0.1.5:443 tcp': 'allowed',
    '[2001:db8:ffff::1]:50000 > [2001:db8:1234:1a00::5]:443 tcp': 'allowed',
    '192.0.2.9:50000 > 10.0.1.5:22 tcp': 'allowed',
    '203.0.113.5:50000 > 10.0.1.5:22 tcp': 'denied server group ingress * request',
    '10.0.1.5:50000 > 10.0.2.7:1433 tcp': 'allowed',
    '10.0.1.6:50000 > 10.0.2.8:3306 tcp': 'allowed',
    // The other database is no member of the group that the port is open to.
    '10.0.1.5:50000 > 10.0.2.8:1433 tcp': 'denied client group egress * request',
    '10.0.2.7:50000 > 10.0.2.8:3306 tcp': 'denied server group ingress * request',
    // Members of one group do not reach each other by that: a rule must say so.
    '10.0.1.6:50000 > 10.0.1.5:8080 tcp': 'denied client group egress * request',
    '10.0.2.7:50000 > 10.0.1.5:8080 tcp': 'denied server group ingress * request',
    // "using the private IP addresses of the instances": the public one is of no group.
    '10.0.1.5:50000 > 198.51.100.7:1433 tcp': 'denied client group egress * request',
  })
})

test('lets answers pass by connection tracking, whatever the rules of the other direction', () => {
  // "Response traffic ... is allowed to flow out of the instance, even if your outbound security group rules restrict outbound ICMP traffic."
  const rules = {
    groups: [group('sg-in', ['icmp 0.0.0.0/0', 'tcp 22 203.0.113.1'], []), group('sg-out', [], ['tcp 443 0.0.0.0/0'])],
    interfaces: [networkInterface('10.0.1.5', ['sg-in']), networkInterface('10.0.1.6', ['sg-out'])],
  }
  expect(rules, {
    '203.0.113.9 > 10.0.1.5 icmp 8': 'allowed',
    '203.0.113.1:40000 > 10.0.1.5:22 tcp': 'allowed',
    '10.0.1.5:40000 > 203.0.113.1:443 tcp': 'denied client group egress * request',
    '10.0.1.6:40000 > 203.0.113.1:443 tcp': 'allowed',
    '203.0.113.1:443 > 10.0.1.6:40000 tcp': 'denied server group ingress * request',
  })
})

test('takes all groups of an interface together', () => {
  // "the rules from each security group are aggregated to form a single set of rules".
  const rules = {
    groups: [group('sg-a', ['tcp 80 0.0.0.0/0'], []), group('sg-b', ['tcp 22 192.0.2.0/24'], ['udp 0.0.0.0/0'])],
    interfaces: [networkInterface('10.0.1.5', ['sg-a', 'sg-b'])],
  }
  expect(rules, {
    '203.0.113.1:40000 > 10.0.1.5:80 tcp': 'allowed',
    '192.0.2.1:40000 > 10.0.1.5:22 tcp': 'allowed',
    '10.0.1.5:40000 > 203.0.113.1:123 udp': 'allowed',
    '203.0.113.1:40000 > 10.0.1.5:22 tcp': 'denied server group ingress * request',
  })
  const denied = decider(network(rules))(connection('203.0.113.1:40000 > 10.0.1.5:22 tcp'))
  assert.deepEqual(denied, {
    verdict: 'denied',
    by: {
      ...{ at: 'server', what: 'group', ids: ['sg-a', 'sg-b'], direction: 'ingress', entry: null },
      ...{ packets: 'request', stops: 'all' },
    },
  })
})

test('holds rules of other protocols than TCP and UDP for all ports, and ICMP to its types', () => {
  const rules = {
    groups: [group('sg-a', ['sctp 80 0.0.0.0/0', 'icmp 8 0.0.0.0/0', 'icmp 3/4 0.0.0.0/0', 'icmpv6 128 ::/0'])],
    interfaces: [networkInterface('10.0.1.5 2001:db8::5', ['sg-a'])],
  }
  expect(rules, {
    '203.0.113.1:40000 > 10.0.1.5:36412 sctp': 'allowed',
    '203.0.113.1 > 10.0.1.5 icmp 8': 'allowed',
    '203.0.113.1 > 10.0.1.5 icmp 13': 'denied server group ingress * request',
    '203.0.113.1 > 10.0.1.5 icmp 3/4': 'allowed',
    '203.0.113.1 > 10.0.1.5 icmp 3/1': 'denied server group ingress * request',
    '203.0.113.1 > 10.0.1.5 icmp': 'undecided unknown-icmp-type',
    '2001:db8:1::1 > 2001:db8::5 icmpv6 128': 'allowed',
    '203.0.113.1 > 10.0.1.5 gre': 'denied server group ingress * request',
  })
})

test('filters nothing that AWS filters nowhere, and nothing within a host', () => {
  const rules = {
    groups: [group('sg-none', [], [])],
    acls: [acl('acl-none', [], [])],
    interfaces: [networkInterface('10.0.1.5 10.0.1.6', ['sg-none'], { subnet: 'subnet-1' })],
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-none')],
  }
  expect(rules, {
    '10.0.1.5:40000 > 169.254.169.254:80 tcp': 'allowed exempt',
    '10.0.1.5:40000 > 169.254.169.123:123 udp': 'allowed exempt',
    '10.0.1.5:40000 > 10.0.1.2:53 udp': 'allowed exempt',
    '10.0.1.5 > 10.0.1.1 icmp 8': 'allowed exempt',
    '10.0.1.5:40000 > 10.0.1.3:53 udp': 'denied client group egress * request',
    '10.0.1.5:68 > 203.0.113.1:67 udp': 'allowed exempt',
    '10.0.1.5:68 > 203.0.113.1:67 tcp': 'denied client group egress * request',
    '10.0.1.5:40000 > 10.0.1.5:80 tcp': 'allowed same-host',
    '10.0.1.5:40000 > 10.0.1.6:80 tcp': 'allowed same-host',
    '10.0.1.5:40000 > 203.0.113.1:53 udp': 'denied client group egress * request',
  })
})

test('says why it cannot decide', () => {
  const rules = {
    groups: [group('sg-a', ['tcp 22 sg-b', 'tcp 443 pl-1', 'tcp 5000-6000 0.0.0.0/0']), group('sg-b', [])],
    interfaces: [
      networkInterface('10.0.1.5', ['sg-a'], { publicAddresses: [address('198.51.100.5')] }),
      networkInterface('10.0.1.6', ['sg-gone']),
      networkInterface('10.0.1.7', null),
      networkInterface('10.0.1.8', ['sg-a']),
      networkInterface('10.0.1.8', ['sg-b'], { id: 'eni-other' }),
      networkInterface('10.0.1.9', []),
    ],
    prefixLists: [{ id: 'pl-1', name: 'unread', prefixes: null, maxEntries: null }],
  }
  expect(rules, {
    '10.0.9.9:40000 > 10.0.1.5:22 tcp': 'undecided no-interface',
    '203.0.113.1:40000 > 10.0.1.5:443 tcp': 'undecided prefix-list',
    '203.0.113.1 > 10.0.1.5 tcp': 'undecided prefix-list',
    '203.0.113.1:40000 > 10.0.1.6:80 tcp': 'undecided group-not-described',
    '203.0.113.1:40000 > 10.0.1.7:80 tcp': 'undecided groups-not-told',
    '203.0.113.1:40000 > 10.0.1.8:80 tcp': 'undecided ambiguous-address',
    '10.0.1.9:40000 > 10.0.1.5:5500 tcp': 'allowed',
    '10.0.1.7:40000 > 10.0.1.5:80 tcp': 'denied server group ingress * request',
    // An instance asks for another by its public address: it arrives from an address that is not known.
    '10.0.1.9:40000 > 198.51.100.5:5500 tcp': 'allowed',
    '10.0.1.9:40000 > 198.51.100.5:80 tcp': 'denied server group ingress * request',
    '10.0.1.9:40000 > 198.51.100.5:22 tcp': 'denied server group ingress * request',
    '203.0.113.1 > 10.0.1.5 ?': 'undecided unknown-protocol',
    '203.0.113.1 > 10.0.1.5 udp': 'denied server group ingress * request',
  })
  const translated = { ...rules, groups: [group('sg-a', ['tcp 22 10.0.0.0/8']), group('sg-b', [])] }
  expect(translated, { '10.0.1.9:40000 > 198.51.100.5:22 tcp': 'undecided translated' })
  const members = { ...rules, others: 'not-judged' as const }
  expect(members, {
    '10.0.9.9:40000 > 10.0.1.5:22 tcp': 'undecided group-members',
    '10.0.9.9:40000 > 10.0.1.5:80 tcp': 'denied server group ingress * request',
    '10.0.1.5:40000 > 10.0.9.9:80 tcp': 'allowed',
  })
})

test('does not decide by a network ACL what may stay within a subnet, or may lie in any', () => {
  const rules = {
    acls: [acl('acl-1', ['100 allow tcp 80 0.0.0.0/0'], ['100 allow tcp 0.0.0.0/0'])],
    interfaces: [
      networkInterface('10.0.1.5', null, { subnet: 'subnet-1' }),
      networkInterface('10.0.7.5', null, { subnet: 'subnet-7' }),
    ],
    subnets: [subnet('subnet-1', [], 'acl-1')],
  }
  expect(rules, {
    '203.0.113.1:40000 > 10.0.1.5:80 tcp': 'allowed',
    '203.0.113.1:40000 > 10.0.1.5:22 tcp': 'denied server acl ingress * request',
    '10.0.9.9:40000 > 10.0.1.5:22 tcp': 'undecided no-subnet',
    '10.0.7.5:40000 > 10.0.1.5:22 tcp': 'denied server acl ingress * request',
    '10.0.7.5:40000 > 10.0.1.5:80 tcp': 'undecided acl-not-described',
  })
  const few = { ...rules, others: 'not-judged' as const }
  expect(few, {
    '10.0.9.9:40000 > 10.0.1.5:22 tcp': 'undecided same-subnet',
    '10.0.9.9:40000 > 10.0.1.5:80 tcp': 'allowed',
  })
  const whole = { ...few, subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-1')] }
  expect(whole, { '10.0.9.9:40000 > 10.0.1.5:22 tcp': 'denied server acl ingress * request' })
})

test('lets entries that may fit decide nothing, unless all say the same', () => {
  const rules = (ingress: string[]) => ({
    acls: [acl('acl-1', ingress, ['100 allow all 0.0.0.0/0'])],
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-1')],
  })
  const noPort = '203.0.113.1 > 10.0.1.5 tcp'
  expect(rules(['100 deny tcp 22 0.0.0.0/0', '200 allow all 0.0.0.0/0']), { [noPort]: 'undecided unknown-port' })
  expect(rules(['100 deny tcp 22 0.0.0.0/0', '200 deny all 0.0.0.0/0']), {
    [noPort]: 'denied server acl ingress 200 request',
  })
  expect(rules(['100 allow tcp 22 0.0.0.0/0', '200 allow all 0.0.0.0/0']), { [noPort]: 'allowed' })
  expect(rules(['100 allow tcp 22 0.0.0.0/0']), { [noPort]: 'undecided unknown-port' })
  expect(rules(['100 allow tcp 0-65535 0.0.0.0/0']), { [noPort]: 'allowed' })
})

test('lets a certain denial win over what is not known', () => {
  const rules = {
    groups: [group('sg-a', ['tcp 443 pl-1'])],
    acls: [acl('acl-1', ['100 allow all 0.0.0.0/0'], [])],
    interfaces: [networkInterface('10.0.1.5', ['sg-a'])],
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-1')],
  }
  expect(rules, { '203.0.113.1:40000 > 10.0.1.5:443 tcp': 'denied server acl egress * answer' })
})

test('lets a connection of unknown roles be decided only where both ways are alike', () => {
  const rules = {
    groups: [group('sg-a', ['tcp 80 0.0.0.0/0'], []), group('sg-b', ['tcp 0.0.0.0/0'])],
    interfaces: [networkInterface('10.0.1.5', ['sg-a']), networkInterface('10.0.1.6', ['sg-b'])],
  }
  const decide = decider(network(rules))
  const ask = (text: string) => told(decide(connection(text, { unknownRole: true })))
  assert.equal(ask('203.0.113.1:40000 > 10.0.1.5:80 tcp'), 'undecided unknown-role')
  assert.equal(ask('203.0.113.1:40000 > 10.0.1.5:81 tcp'), 'denied server group ingress * request')
  assert.equal(ask('203.0.113.1:40000 > 10.0.1.6:81 tcp'), 'allowed')
})

test('lets live what groups had tracked when rules are put in force, and cuts it by network ACLs', () => {
  const interfaces = [networkInterface('10.0.1.5', ['sg-none'], { subnet: 'subnet-1' })]
  const groups = { groups: [group('sg-none', [], [])], interfaces }
  const acls = {
    acls: [acl('acl-none', [], [])],
    interfaces,
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-none')],
  }
  const ask = (rules: Partial<Network>, start_us: number, end_us: number) =>
    told(
      decider(network(rules), { from_us: 100 })(
        connection('10.0.1.5:40000 > 203.0.113.1:80 tcp', { start_us, end_us }),
      ),
    )
  assert.equal(ask(groups, 100, 200), 'denied client group egress * request')
  assert.equal(ask(groups, 99, 200), 'allowed tracked')
  assert.equal(ask(groups, 50, 100), 'allowed ended-before')
  assert.equal(ask(groups, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY), 'undecided unknown-time')
  assert.equal(ask(acls, 99, 200), 'denied client acl egress * request')
  assert.equal(ask({ ...groups, ...acls }, 99, 200), 'denied client acl egress * request')
})

test('leaves an ICMP error about another connection to tracking, but not past a network ACL', () => {
  const rules = {
    groups: [group('sg-none', [], [])],
    interfaces: [networkInterface('10.0.1.5', ['sg-none'])],
  }
  const error = connection('203.0.113.1 > 10.0.1.5 icmp 3/3', { isError: true })
  assert.equal(told(decider(network(rules))(error)), 'undecided icmp-error')
  const acls = [acl('acl-none', [], [])]
  const subnets = [subnet('subnet-1', ['10.0.1.0/24'], 'acl-none')]
  assert.equal(told(decider(network({ ...rules, acls, subnets }))(error)), 'denied server acl ingress * request')
})

test('does not know the code of an ICMP answer, but of an echo', () => {
  const rules = (egress: string[]) => ({
    acls: [acl('acl-1', ['100 allow icmp 0.0.0.0/0'], egress)],
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-1')],
  })
  expect(rules(['100 allow icmp 14/0 0.0.0.0/0']), { '203.0.113.1 > 10.0.1.5 icmp 13': 'undecided unknown-icmp-type' })
  expect(rules(['100 allow icmp 14 0.0.0.0/0']), { '203.0.113.1 > 10.0.1.5 icmp 13': 'allowed' })
  expect(rules(['100 allow icmp 0/0 0.0.0.0/0']), { '203.0.113.1 > 10.0.1.5 icmp 8': 'allowed' })
  expect(rules(['100 allow icmp 0/1 0.0.0.0/0']), {
    '203.0.113.1 > 10.0.1.5 icmp 8': 'denied server acl egress * answer (answers)',
    // Nothing answers an error.
    '203.0.113.1 > 10.0.1.5 icmp 3/3': 'allowed',
  })
})

test('knows reserved addresses only by whole subnets, and holds no IPv4 in a subnet of IPv6', () => {
  const acls = [acl('acl-none', [], [])]
  expect(
    { acls, subnets: [subnet(null, ['10.0.1.0/24'], 'acl-none')] },
    {
      '10.0.1.2:40000 > 203.0.113.1:80 tcp': 'denied client acl egress * request',
    },
  )
  expect(
    { acls, subnets: [subnet('subnet-1', ['10.0.1.0/29'], 'acl-none')] },
    {
      '10.0.1.2:40000 > 203.0.113.1:80 tcp': 'denied client acl egress * request',
    },
  )
  expect(
    { acls, subnets: [subnet('subnet-1', ['::/0'], 'acl-none')] },
    {
      '10.0.1.2:40000 > 203.0.113.1:80 tcp': 'undecided no-subnet',
    },
  )
})

test('knows an interface by delegated prefixes and by its public address', () => {
  const rules = {
    groups: [group('sg-a', ['tcp 80 0.0.0.0/0'])],
    interfaces: [
      networkInterface('10.0.1.5', ['sg-a'], {
        prefixes: [prefix('10.0.1.16/28')],
        publicAddresses: [address('198.51.100.5')],
      }),
    ],
  }
  expect(rules, {
    '203.0.113.1:40000 > 10.0.1.17:80 tcp': 'allowed',
    '203.0.113.1:40000 > 10.0.1.17:81 tcp': 'denied server group ingress * request',
    '203.0.113.1:40000 > 198.51.100.5:81 tcp': 'denied server group ingress * request',
  })
})
