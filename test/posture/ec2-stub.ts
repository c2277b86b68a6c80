/** A server that speaks as much of EC2 and STS as the posture asks, with pages, refusals and faults. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** Lists by action, of one account; items with EC2's names in XML. */
export interface Account {
  id: string
  lists: Record<string, object[]>
}

export interface Ec2Stub {
  address: string
  /** By region; `*` for all others. */
  accounts: Record<string, Account>
  /** The like of each role that can be taken on, by its ARN; null: it cannot. */
  roles: Record<string, Record<string, Account> | null>
  /** Actions in the order in which they were asked, with the region. */
  asked: { action: string; region: string }[]
  /** Answers instead. `role`: of the credentials that asked; null: the user's own. */
  fault: (
    action: string,
    region: string,
    times: number,
    role: string | null,
  ) => { status: number; code: string; message?: string } | { body: string } | null
}

const sets: Record<string, string> = {
  DescribeVpcs: 'vpcSet',
  DescribeSubnets: 'subnetSet',
  DescribeNetworkInterfaces: 'networkInterfaceSet',
  DescribeFlowLogs: 'flowLogSet',
  DescribeSecurityGroups: 'securityGroupInfo',
  DescribeNetworkAcls: 'networkAclSet',
  DescribeManagedPrefixLists: 'prefixListSet',
  GetManagedPrefixListEntries: 'entrySet',
  DescribeRegions: 'regionInfo',
}
const itemsOfPage = 2

export async function startEc2Stub(t: TestContext, accounts: Ec2Stub['accounts']): Promise<Ec2Stub> {
  const stub: Ec2Stub = { address: '', accounts, roles: {}, asked: [], fault: () => null }
  const server = createServer((message, response) => {
    let body = ''
    message.on('data', (piece: Buffer) => {
      body += piece
    })
    message.on('end', () => {
      const asked = new URLSearchParams(body)
      const action = asked.get('Action') ?? ''
      const [, key = '', region = ''] =
        /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(message.headers.authorization ?? '') ?? []
      const role = Object.keys(stub.roles)[Number(/^ASIAROLE(\d+)$/.exec(key)?.[1] ?? Number.NaN)] ?? null
      const times = stub.asked.filter(one => one.action === action && one.region === region).length
      stub.asked.push({ action, region })
      const fault = action === 'AssumeRole' ? refusal(stub, asked) : stub.fault(action, region, times, role)
      response.setHeader('content-type', 'text/xml')
      if (fault !== null && 'body' in fault) return void response.end(fault.body)
      if (fault !== null) {
        const error = `<Error><Code>${fault.code}</Code><Message>${fault.message ?? 'You are not authorized'}</Message></Error>`
        response.statusCode = fault.status
        response.end(`<Response><Errors>${error}</Errors>${error}</Response>`)
        return
      }
      if (action === 'AssumeRole') return void response.end(credentials(stub, asked))
      const accounts = role === null ? stub.accounts : stub.roles[role]!
      response.end(answer(accounts[region] ?? accounts['*']!, action, asked))
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  stub.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return stub
}

function refusal({ roles }: Ec2Stub, asked: URLSearchParams): ReturnType<Ec2Stub['fault']> {
  const role = asked.get('RoleArn')!
  const message = `User: arn:aws:iam::999999999999:user/me is not authorized to perform: sts:AssumeRole on resource: ${role}`
  return roles[role] ? null : { status: 403, code: 'AccessDenied', message }
}

/** The key tells the role. */
function credentials({ roles }: Ec2Stub, asked: URLSearchParams): string {
  const key = `ASIAROLE${Object.keys(roles).indexOf(asked.get('RoleArn')!)}`
  const secrets = '<SecretAccessKey>canary-of-a-role</SecretAccessKey><SessionToken>canary-of-a-role</SessionToken>'
  const all = `<AccessKeyId>${key}</AccessKeyId>${secrets}<Expiration>2099-01-01T00:00:00Z</Expiration>`
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${all}</Credentials></AssumeRoleResult></AssumeRoleResponse>`
}

function answer({ id, lists }: Account, action: string, asked: URLSearchParams): string {
  if (action === 'GetCallerIdentity')
    return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>${id}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`
  const all = lists[action] ?? []
  const from = Number(asked.get('NextToken') ?? 0)
  const items = all.slice(from, from + itemsOfPage)
  const isLast = from + itemsOfPage >= all.length || action === 'DescribeRegions'
  const shown = action === 'DescribeRegions' ? all : items
  const next = isLast ? '' : `<nextToken>${from + itemsOfPage}</nextToken>`
  return `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${xml({ [sets[action]!]: shown })}${next}</${action}Response>`
}

/** A list is a set of items. */
function xml(value: unknown): string {
  if (Array.isArray(value)) return value.map(one => `<item>${xml(one)}</item>`).join('')
  if (typeof value !== 'object' || value === null)
    return String(value).replace(/[&<>]/g, one => `&#${one.charCodeAt(0)};`)
  return Object.entries(value)
    .map(([name, one]) => `<${name}>${xml(one)}</${name}>`)
    .join('')
}
