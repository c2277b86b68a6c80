// `controls --live` against a stand-in for EC2: what is not recorded, what is not known, and the rules in force on recorded flows.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import type { ControlsAnswer } from '../../src/controls/control.ts'
import { recommendedFields } from '../../src/controls/flow-log.ts'
import type { CoveredResource, Posture } from '../../src/posture/posture.ts'
import { tidemark } from '../cli/run.ts'
import { cliEntry } from '../repo.ts'
import { canaries } from '../sources/stub.ts'
import { type Account, type Ec2Stub, startEc2Stub } from './ec2-stub.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-posture-'))
after(() => rmSync(root, { recursive: true, force: true }))

const formatOf = (...fields: string[]): string => fields.map(field => `\${${field}}`).join(' ')
const full = formatOf(...recommendedFields)
const [attacker, victim, friend] = ['203.0.113.7', '10.0.0.5', '198.51.100.9']

const flowLog = (id: string, resource: string, more: object = {}): object => ({
  ...{ flowLogId: id, resourceId: resource, trafficType: 'ALL', flowLogStatus: 'ACTIVE', deliverLogsStatus: 'SUCCESS' },
  ...{ logFormat: full, maxAggregationInterval: 60, logDestinationType: 's3', logDestination: 'arn:aws:s3:::logs' },
  ...more,
})
const vpc = (id: string, owner: string, name?: string): object => ({
  ...{ vpcId: id, ownerId: owner },
  ...(name !== undefined && { tagSet: [{ key: 'Name', value: name }] }),
})
const subnet = (id: string, of: string, block: string, owner: string): object => ({
  ...{ subnetId: id, vpcId: of, ownerId: owner, cidrBlock: block },
})
const eni = (id: string, of: string, within: string, address: string, owner: string): object => ({
  ...{ networkInterfaceId: id, vpcId: of, subnetId: within, ownerId: owner, privateIpAddress: address },
  privateIpAddressesSet: [{ privateIpAddress: address, primary: true }],
  groupSet: [{ groupId: 'sg-0a', groupName: 'web' }],
})

const anyone = [{ cidrIp: '0.0.0.0/0' }]

/** One VPC that is recorded well, one by a log that fails, one of refused traffic alone, one not at all but for an interface. */
function account(id = '111111111111'): Account {
  return {
    id,
    lists: {
      DescribeVpcs: ['1', '2', '3', '4'].map(one => vpc(`vpc-${one}`, id, one === '4' ? 'web' : undefined)),
      DescribeSubnets: ['1', '2', '3', '4'].map(one =>
        subnet(`subnet-${one}`, `vpc-${one}`, `10.0.${+one - 1}.0/24`, id),
      ),
      DescribeNetworkInterfaces: [
        eni('eni-1', 'vpc-1', 'subnet-1', victim, id),
        eni('eni-2', 'vpc-2', 'subnet-2', '10.0.1.5', id),
        eni('eni-3', 'vpc-3', 'subnet-3', '10.0.2.5', id),
        eni('eni-4', 'vpc-4', 'subnet-4', '10.0.3.5', id),
        eni('eni-5', 'vpc-4', 'subnet-4', '10.0.3.6', id),
      ],
      DescribeFlowLogs: [
        flowLog('fl-1', 'vpc-1'),
        flowLog('fl-2', 'vpc-2', { deliverLogsStatus: 'FAILED', deliverLogsErrorMessage: 'Access error' }),
        flowLog('fl-3', 'vpc-3', {
          trafficType: 'REJECT',
          maxAggregationInterval: 600,
          logFormat: formatOf('srcaddr', 'dstaddr'),
        }),
        flowLog('fl-4', 'eni-4'),
        flowLog('fl-5', 'tgw-1', { logFormat: formatOf('resource-type') }),
      ],
      DescribeSecurityGroups: [
        {
          ...{ groupId: 'sg-0a', groupName: 'web', vpcId: 'vpc-1' },
          ipPermissions: [
            { ipProtocol: 'tcp', fromPort: 443, toPort: 443, ipRanges: anyone },
            { ipProtocol: 'tcp', fromPort: 22, toPort: 22, prefixListIds: [{ prefixListId: 'pl-0b' }] },
          ],
          ipPermissionsEgress: [{ ipProtocol: '-1', ipRanges: anyone }],
        },
      ],
      DescribeNetworkAcls: [
        {
          ...{ networkAclId: 'acl-1', vpcId: 'vpc-1', default: true, associationSet: [{ subnetId: 'subnet-1' }] },
          entrySet: [false, true].map(egress => ({
            ...{ ruleNumber: 100, protocol: '-1', ruleAction: 'allow', egress, cidrBlock: '0.0.0.0/0' },
          })),
        },
      ],
      DescribeManagedPrefixLists: [{ prefixListId: 'pl-0b', prefixListName: 'admins', maxEntries: 10 }],
      GetManagedPrefixListEntries: [{ cidr: `${attacker}/32` }, { cidr: '192.0.2.0/24' }, { cidr: '192.0.3.0/24' }],
      DescribeRegions: [{ regionName: 'eu-central-1' }, { regionName: 'us-east-1' }],
    },
  }
}

interface Run {
  status: number | null
  stdout: string
  stderr: string
}

async function run(stub: Ec2Stub, args: string[]): Promise<Run> {
  const { TIDEMARK_CASE: _, ...own } = process.env
  const env = { ...own, ...canaries, AWS_ENDPOINT_URL_STS: stub.address }
  const child = spawn(process.execPath, [cliEntry, 'controls', '--live', '--endpoint', stub.address, ...args], {
    env,
    cwd: root,
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', piece => (said.stdout += piece))
  child.stderr.on('data', piece => (said.stderr += piece))
  const status = await new Promise<number | null>(resolve => child.on('close', resolve))
  for (const secret of [canaries.AWS_ACCESS_KEY_ID, canaries.AWS_SECRET_ACCESS_KEY, canaries.AWS_SESSION_TOKEN])
    assert(!`${said.stdout}${said.stderr}`.includes(secret), 'a secret is in what was written')
  return { status, ...said }
}

async function posture(stub: Ec2Stub, ...args: string[]): Promise<Posture & { status: number | null; stderr: string }> {
  const { status, stdout, stderr } = await run(stub, ['--json', ...args])
  assert(status === 0 || status === 3, stderr)
  const found = JSON.parse(stdout) as { posture: Posture; not_tried?: string }
  return { ...found.posture, status, stderr }
}

const stateOf = ({ gaps }: Posture, id: string): CoveredResource['state'] =>
  gaps.find(one => one.id === id)?.state ?? 'good'

test('each VPC, subnet and interface is said to be recorded as far as its flow logs say', async t => {
  const found = await posture(await startEc2Stub(t, { '*': account() }))
  assert.equal(found.status, 0, found.stderr)
  const states = ['vpc-1', 'subnet-1', 'eni-1', 'vpc-2', 'eni-2', 'vpc-3', 'vpc-4', 'subnet-4', 'eni-4', 'eni-5'].map(
    id => stateOf(found, id),
  )
  assert.deepEqual(states, [
    ...['good', 'good', 'good', 'failing', 'failing', 'partial', 'partial', 'partial', 'good', 'without'],
  ])
  assert.deepEqual(found.resources.interface, { total: 5, without: 1, failing: 1, partial: 1, unknown: 0, good: 2 })
  assert.deepEqual(found.unknown, [])
  const third = found.gaps.find(({ id }) => id === 'vpc-3')!
  assert.equal(third.traffic, 'REJECT')
  assert.equal(third.interval, 600)
  assert(third.lacks.includes('tcp-flags') && !third.lacks.includes('srcaddr'))
  assert.match(third.why.join('; '), /what is let through is not recorded/)
  assert.match(found.gaps.find(({ id }) => id === 'vpc-2')!.why.join(), /fl-2: it is not delivered \(Access error\)/)
  assert.deepEqual(found.flow_logs.find(({ id }) => id === 'fl-5')!.faults, [])
  assert.deepEqual(
    found.gaps
      .filter(({ as_around }) => as_around)
      .map(({ id }) => id)
      .sort(),
    ['eni-2', 'eni-3', 'subnet-2', 'subnet-3'],
  )
})

test('two flow logs, of accepted and of rejected traffic, record all of it', async t => {
  const own = account()
  own.lists['DescribeFlowLogs'] = [
    flowLog('fl-a', 'vpc-3', { trafficType: 'ACCEPT' }),
    flowLog('fl-b', 'subnet-3', { trafficType: 'REJECT' }),
  ]
  const found = await posture(await startEc2Stub(t, { '*': own }))
  assert.deepEqual(
    [stateOf(found, 'vpc-3'), stateOf(found, 'subnet-3'), stateOf(found, 'eni-3')],
    ['partial', 'good', 'good'],
  )
})

test('what AWS does not allow is named with the action to allow, and unknown', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.fault = action => (action === 'DescribeFlowLogs' ? { status: 403, code: 'UnauthorizedOperation' } : null)
  const found = await posture(stub)
  assert.equal(found.status, 3)
  assert.match(found.stderr, /flow logs of 111111111111, eu-central-1: access denied \(allow ec2:DescribeFlowLogs\)/)
  assert.deepEqual(
    found.unknown.map(({ right }) => right),
    ['ec2:DescribeFlowLogs'],
  )
  for (const kind of ['vpc', 'subnet', 'interface'] as const)
    assert.equal(found.resources[kind].unknown, found.resources[kind].total)
  assert.equal(found.places[0]!.flow_logs, null)
  const page = await run(stub, [])
  assert.equal(page.status, 3)
  assert.match(page.stdout, /To allow:\s+ec2:DescribeFlowLogs/)
  assert.doesNotMatch(page.stdout, /^Recorded with all traffic, every minute and all fields: [1-9]/m)
})

test('a list that ends with a refusal on its second page is no list', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.fault = (action, _, times) =>
    action === 'DescribeNetworkInterfaces' && times > 0 ? { status: 403, code: 'UnauthorizedOperation' } : null
  const found = await posture(stub)
  assert.equal(found.status, 3)
  assert.equal(found.places[0]!.interfaces, null)
  assert.equal(found.resources.interface.total, 0)
  // Whether the interfaces of vpc-4 have a flow log cannot be said any more.
  assert.equal(stateOf(found, 'vpc-4'), 'unknown')
})

test('of a VPC that another account shares, a flow log that is not shown may be there', async t => {
  const own = account()
  own.lists['DescribeVpcs'] = [vpc('vpc-1', '111111111111'), vpc('vpc-4', '222222222222')]
  const found = await posture(await startEc2Stub(t, { '*': own }))
  assert.equal(stateOf(found, 'vpc-4'), 'unknown')
  assert.equal(stateOf(found, 'eni-5'), 'unknown')
  assert.equal(stateOf(found, 'eni-4'), 'good')
  assert.match(found.gaps.find(({ id }) => id === 'vpc-4')!.why[0]!, /222222222222/)
})

test('a flow log that has delivered nothing yet is not said to be in order', async t => {
  const own = account()
  const { deliverLogsStatus: _, ...fresh } = flowLog('fl-1', 'vpc-1') as Record<string, unknown>
  own.lists['DescribeFlowLogs'] = [fresh]
  const found = await posture(await startEc2Stub(t, { '*': own }))
  assert.equal(stateOf(found, 'vpc-1'), 'unknown')
})

test('all regions are asked, and one that fails is unknown while the others are told', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.fault = (_, region) => (region === 'us-east-1' ? { status: 401, code: 'AuthFailure' } : null)
  const found = await posture(stub, '--live-region', 'all')
  assert.deepEqual(
    found.places.map(({ region }) => region),
    ['eu-central-1', 'us-east-1'],
  )
  assert.equal(found.resources.vpc.total, 4)
  assert(found.unknown.length >= 6 && found.unknown.every(({ region }) => region === 'us-east-1'))
  assert.equal(found.status, 3)
})

test('what is no answer of EC2 is unknown, and no account without anything', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  const page = { body: '<html><body>Welcome</body></html>' }
  stub.fault = action => (action === 'DescribeFlowLogs' ? page : null)
  const found = await posture(stub)
  assert.deepEqual([found.places[0]!.vpcs, found.places[0]!.flow_logs], [4, null])
  assert.deepEqual([found.resources.vpc.unknown, found.resources.vpc.without], [4, 0])
  assert.match(found.unknown.map(({ problem }) => problem).join(), /the answer has no list/)
  stub.fault = action => (action.startsWith('Describe') ? page : null)
  for (const more of [[], ['--live-region', 'all']]) assert.equal((await run(stub, more)).status, 1)
})

test('where AWS tells nothing at all, that is an error with everything that is to be allowed', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.fault = action => (action.startsWith('Describe') ? { status: 403, code: 'UnauthorizedOperation' } : null)
  const { status, stderr } = await run(stub, [])
  assert.equal(status, 1)
  for (const right of ['DescribeVpcs', 'DescribeSubnets', 'DescribeFlowLogs', 'DescribeNetworkAcls'])
    assert.match(stderr, new RegExp(`ec2:${right}`))
  stub.fault = () => ({ status: 400, code: 'ExpiredToken', message: 'expired' })
  const expired = await run(stub, [])
  assert.equal(expired.status, 1)
  assert.match(expired.stderr, /credentials have expired/)
})

const roleOf = (account: string, name = 'reader'): string => `arn:aws:iam::${account}:role/${name}`
const [first, second] = ['111111111111', '222222222222']

test('what two roles of one account, or two accounts of a shared VPC, see is counted once', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.roles = { [roleOf(first)]: { '*': account() }, [roleOf(first, 'auditor')]: { '*': account() } }
  const roles = ['--live-role', roleOf(first), '--live-role', roleOf(first, 'auditor')]
  const found = await posture(stub, ...roles)
  assert.equal(found.status, 0, found.stderr)
  assert.equal(found.places.length, 2)
  assert.deepEqual([found.resources.vpc.total, found.resources.interface.total, found.flow_logs_total], [4, 5, 5])
  assert.equal(found.gaps.filter(({ id }) => id === 'vpc-4').length, 1)
  // What one of them may not see, the other tells.
  stub.fault = (action, _, __, role) =>
    action === (role === roleOf(first) ? 'DescribeFlowLogs' : 'DescribeNetworkInterfaces')
      ? { status: 403, code: 'UnauthorizedOperation' }
      : null
  const halves = await posture(stub, ...roles)
  assert.equal(halves.status, 0, halves.stderr)
  assert.deepEqual(halves.unknown, [])
  assert.deepEqual(halves.resources, found.resources)
  assert.deepEqual(halves.gaps, found.gaps)
})

test('a shared VPC is told as its owner and those who use it see it together', async t => {
  const shared = (id: string): Account => {
    const { lists } = account(id)
    lists['DescribeVpcs'] = [vpc('vpc-1', second, id === second ? 'shared' : undefined)]
    lists['DescribeSubnets'] = [subnet('subnet-1', 'vpc-1', '10.0.0.0/24', second)]
    lists['DescribeNetworkInterfaces'] = [eni('eni-1', 'vpc-1', 'subnet-1', victim, first)]
    lists['DescribeFlowLogs'] = []
    return { id, lists }
  }
  const [user, owner] = [shared(first), shared(second)]
  user.lists['DescribeFlowLogs'] = [flowLog('fl-u', 'eni-1')]
  const stub = await startEc2Stub(t, { '*': user })
  stub.roles = { [roleOf(first)]: { '*': user }, [roleOf(second)]: { '*': owner } }
  const both = await posture(stub, '--live-role', roleOf(first), '--live-role', roleOf(second))
  assert.equal(both.resources.vpc.total + both.resources.subnet.total + both.resources.interface.total, 3)
  // Of the VPC alone it can be said that it has none: both who may have made one were asked.
  assert.deepEqual([stateOf(both, 'vpc-1'), stateOf(both, 'eni-1')], ['partial', 'good'])
  const { account: whose, name } = both.gaps.find(({ id }) => id === 'vpc-1')!
  assert.deepEqual([whose, name], [second, 'shared'])
  const alone = await posture(stub, '--live-role', roleOf(first))
  assert.equal(stateOf(alone, 'vpc-1'), 'unknown')
  // Its owner is not shown the flow logs of those who use it.
  const ownerAlone = await posture(stub, '--live-role', roleOf(second))
  assert.deepEqual([stateOf(ownerAlone, 'vpc-1'), stateOf(ownerAlone, 'subnet-1')], ['unknown', 'unknown'])
  assert.match(
    ownerAlone.gaps.find(({ id }) => id === 'vpc-1')!.why.join(),
    new RegExp(`${first}, not asked, may have`),
  )
  user.lists['DescribeFlowLogs'] = []
  const without = await posture(stub, '--live-role', roleOf(first), '--live-role', roleOf(second))
  assert.deepEqual([stateOf(without, 'vpc-1'), stateOf(without, 'subnet-1')], ['without', 'without'])
})

test('a role that cannot be taken on is named, and what the others see is kept', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.roles = { [roleOf(first)]: { '*': account() }, [roleOf(second)]: null }
  const roles = ['--live-role', roleOf(second), '--live-role', roleOf(first)]
  for (const region of ['all', 'eu-central-1']) {
    const found = await posture(stub, ...roles, '--live-region', region)
    assert.equal(found.status, 3)
    assert.equal(found.resources.vpc.total, 4)
    const problem = `cannot take on the role ${roleOf(second)}: access denied`
    assert.deepEqual(found.unknown, [
      {
        ...{ account: second, region: region === 'all' ? null : region, what: 'everything' },
        ...{ right: 'sts:AssumeRole', problem },
      },
    ])
    assert.match(found.stderr, /everything of 222222222222, .*role\/reader: access denied \(allow sts:AssumeRole\)/)
    const tried = await run(stub, [...roles, '--live-region', region, '--json', '--case', caseOf(t)])
    assert.equal(tried.status, 3)
    assert.equal((JSON.parse(tried.stdout) as ControlsAnswer).tried!.judged.allowed, 2)
  }
  const alone = await run(stub, ['--live-role', roleOf(second), '--live-region', 'all'])
  assert.equal(alone.status, 1)
  assert.match(alone.stderr, /cannot take on the role arn:aws:iam::222222222222:role\/reader: access denied/)
  assert.match(alone.stderr, /sts:AssumeRole on arn:aws:iam::222222222222:role\/reader/)
  assert.doesNotMatch(alone.stderr, /ec2:/)
})

test('regions that one role may not list are not known, and those of others are asked', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.roles = { [roleOf(first)]: { '*': account() }, [roleOf(second)]: { '*': account(second) } }
  stub.fault = (action, _, __, role) =>
    action === 'DescribeRegions' && role === roleOf(first) ? { status: 403, code: 'UnauthorizedOperation' } : null
  const found = await posture(
    stub,
    ...['--live-role', roleOf(first), '--live-role', roleOf(second), '--live-region', 'all'],
  )
  assert.deepEqual(
    found.places.map(one => one.account),
    [second, second],
  )
  assert.deepEqual(found.unknown, [
    {
      ...{ account: first, region: null, what: 'regions', right: 'ec2:DescribeRegions', problem: 'access denied' },
    },
  ])
})

test('a flow log that CloudWatch Logs throttles delivers in part', async t => {
  const own = account()
  const throttled = { deliverLogsStatus: 'FAILED', deliverLogsErrorMessage: 'Rate limited' }
  own.lists['DescribeFlowLogs'] = [
    flowLog('fl-1', 'vpc-1', throttled),
    flowLog('fl-2', 'vpc-2', throttled),
    flowLog('fl-3', 'vpc-2'),
    flowLog('fl-4', 'vpc-3', { ...throttled, flowLogStatus: 'INACTIVE' }),
    flowLog('fl-5', 'vpc-4', throttled),
    flowLog('fl-6', 'vpc-4', { deliverLogsStatus: 'UNKNOWN' }),
  ]
  const found = await posture(await startEc2Stub(t, { '*': own }))
  const states = ['vpc-1', 'vpc-2', 'vpc-3', 'vpc-4'].map(id => stateOf(found, id))
  assert.deepEqual(states, ['partial', 'good', 'failing', 'unknown'])
  const log = found.flow_logs.find(({ id }) => id === 'fl-1')!
  assert.deepEqual([log.delivers, log.error], ['in-part', 'Rate limited'])
  assert.deepEqual(log.faults, ['it is delivered in part (Rate limited)'])
  const gap = found.gaps.find(({ id }) => id === 'vpc-1')!
  assert.deepEqual(gap.why, ['fl-1: it is delivered in part (Rate limited)'])
  assert.equal(gap.traffic, 'ALL')
})

test('rules that could not be seen are not said to be absent', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  const why = async (groups: 'none' | 'refused' | 'some', acls: 'none' | 'refused'): Promise<string | null> => {
    const own = account()
    if (groups === 'none') own.lists['DescribeSecurityGroups'] = []
    own.lists['DescribeNetworkAcls'] = []
    stub.accounts = { '*': own }
    const refused = [
      ...(groups === 'refused' ? ['DescribeSecurityGroups'] : []),
      ...(acls === 'refused' ? ['DescribeNetworkAcls'] : []),
    ]
    stub.fault = action => (refused.includes(action) ? { status: 403, code: 'UnauthorizedOperation' } : null)
    const { stdout } = await run(stub, ['--json'])
    return (JSON.parse(stdout) as { not_tried: string | null }).not_tried
  }
  assert.equal(await why('none', 'refused'), 'not all network ACLs could be seen')
  assert.equal(await why('some', 'refused'), 'not all network ACLs could be seen')
  assert.equal(await why('refused', 'refused'), 'not all security groups and network ACLs could be seen')
  assert.equal(await why('refused', 'none'), 'there are no network ACLs, and not all security groups could be seen')
  assert.equal(await why('none', 'none'), 'there are no security groups and no network ACLs')
})

test('only actions that read are asked', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  await posture(stub, '--live-region', 'all')
  assert(stub.asked.length > 0)
  assert.deepEqual(
    stub.asked.filter(({ action }) => !/^(Describe|Get)/.test(action)),
    [],
  )
})

function caseOf(t: TestContext): string {
  const folder = mkdtempSync(join(root, 'case-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const header =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'
  const record = (from: string, to: string, ports: string, flags: number, minute: number, action = 'ACCEPT'): string =>
    `2 111111111111 eni-1 ${from} ${to} ${ports} 6 40 4000 ${1_700_000_000 + 60 * minute} ${1_700_000_059 + 60 * minute} ${action} OK ${flags}`
  const lines = [
    ...[record(friend, victim, '40000 443', 2, 0), record(victim, friend, '443 40000', 18, 0)],
    ...[record(attacker, victim, '50000 22', 2, 1), record(victim, attacker, '22 50000', 18, 1)],
    ...[record(friend, victim, '40001 3389', 2, 2), record(victim, friend, '3389 40001', 18, 2)],
    record(friend, victim, '40002 22', 2, 3, 'REJECT'),
  ]
  const log = join(folder, 'a.log')
  writeFileSync(log, `${[header, ...lines].join('\n')}\n`)
  const dir = join(folder, 'case')
  assert.equal(tidemark(['add', log, '--case', dir]).status, 0)
  return dir
}

test('the groups and network ACLs in force are tried on the recorded flows', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  const dir = caseOf(t)
  const { status, stdout, stderr } = await run(stub, [attacker, '--json', '--case', dir])
  assert.equal(status, 0, stderr)
  const { tried, posture: found } = JSON.parse(stdout) as ControlsAnswer & { posture: Posture }
  assert.equal(found.resources.vpc.total, 4)
  assert(tried!.live)
  // 443 is open to all, 22 to the prefix list, which holds the attacker; nothing else is.
  assert.deepEqual(tried!.judged, { connections: 4, allowed: 2, denied: 2, undecided: 0 })
  assert.equal(tried!.accepted_denied_connections, 1)
  assert.equal(tried!.accepted_denied[0]!.port, 3389)
  assert.equal(tried!.trial!.attack.stopped_connections, 0)
  const page = await run(stub, ['--case', dir])
  assert.match(
    page.stdout,
    /The rules in force allow 2 of 4 connections\s+of addresses whose interface or\s+subnet AWS describes/,
  )
})

test('records of an account that AWS was not asked about are named: private addresses are the same in many', async t => {
  const stub = await startEc2Stub(t, { '*': account('222222222222') })
  const { status, stdout, stderr } = await run(stub, ['--json', '--case', caseOf(t)])
  assert.equal(status, 3, stderr)
  assert.match(stderr, /records are of account 111111111111, of which AWS told nothing/)
  assert.doesNotMatch(stderr, /eu-central-1/)
  assert.notEqual((JSON.parse(stdout) as ControlsAnswer).tried, null)
})

test('groups that AWS does not tell decide nothing', async t => {
  const stub = await startEc2Stub(t, { '*': account() })
  stub.fault = action => (action === 'DescribeSecurityGroups' ? { status: 403, code: 'UnauthorizedOperation' } : null)
  const { status, stdout } = await run(stub, ['--json', '--case', caseOf(t)])
  assert.equal(status, 3)
  const { tried } = JSON.parse(stdout) as ControlsAnswer
  assert.equal(tried!.judged.allowed, 0)
  assert.equal(tried!.judged.undecided, 4)
})

test('options that only mean something with --live are refused without it, and rules of two kinds', () => {
  const without = tidemark(['controls', '203.0.113.7', '--live-region', 'all'])
  assert.equal(without.status, 2)
  assert.match(without.stderr, /--live-region is of --live/)
  const both = tidemark(['controls', '--live', '--try', 'x.json'])
  assert.equal(both.status, 2)
  assert.match(both.stderr, /--try does not go with --live/)
})
