/** What EC2 tells of the networks of one account and region: read-only calls, all pages of each. */
import { ec2Client, stsClient } from './clients.ts'
import { type Asked, AwsError, ask } from './errors.ts'
import type { AwsOptions } from './options.ts'
import { broken, nextMark, noServer } from './pages.ts'

/** A list that AWS gave whole, or why it did not: one that is cut short is no list. */
export type Told<T> = { items: T[]; refused: null } | { items: null; refused: Refused }

export interface Refused {
  /** What was asked for: `flow logs`. */
  what: string
  /** The action to allow: `ec2:DescribeFlowLogs`. */
  right: string
  error: AwsError
}

/** Of what AWS tells, what is used: an account may have hundreds of thousands of interfaces. */
const interfaceKeys = [
  ...(['NetworkInterfaceId', 'VpcId', 'SubnetId', 'OwnerId', 'Description', 'PrivateIpAddress'] as const),
  ...(['PrivateIpAddresses', 'Ipv6Addresses', 'Ipv4Prefixes', 'Ipv6Prefixes', 'Association', 'Groups'] as const),
] as const
const subnetKeys = ['SubnetId', 'VpcId', 'OwnerId', 'CidrBlock', 'Ipv6CidrBlockAssociationSet', 'Tags'] as const
const groupKeys = ['GroupId', 'GroupName', 'VpcId', 'IpPermissions', 'IpPermissionsEgress'] as const
const aclKeys = ['NetworkAclId', 'VpcId', 'IsDefault', 'Associations', 'Entries'] as const
const flowLogKeys = [
  ...(['FlowLogId', 'ResourceId', 'TrafficType', 'LogFormat', 'MaxAggregationInterval', 'FlowLogStatus'] as const),
  ...([
    'DeliverLogsStatus',
    'DeliverLogsErrorMessage',
    'LogDestinationType',
    'LogDestination',
    'LogGroupName',
  ] as const),
] as const
const vpcKeys = ['VpcId', 'OwnerId', 'Tags'] as const
const listKeys = ['PrefixListId', 'PrefixListName', 'MaxEntries'] as const

type Ec2 = Awaited<ReturnType<typeof ec2Client>>
type Item<Listing extends (...args: never[]) => Promise<Told<unknown>>> =
  Awaited<ReturnType<Listing>> extends Told<infer T> ? T : never

const vpcs = listing('VPCs', 'DescribeVpcs', async ({ sdk, client }, page, how) => {
  const { Vpcs, NextToken } = await client.send(new sdk.DescribeVpcsCommand(page), how)
  return [picked(Vpcs, vpcKeys), NextToken]
})
const subnets = listing('subnets', 'DescribeSubnets', async ({ sdk, client }, page, how) => {
  const { Subnets, NextToken } = await client.send(new sdk.DescribeSubnetsCommand(page), how)
  return [picked(Subnets, subnetKeys), NextToken]
})
const interfaces = listing('network interfaces', 'DescribeNetworkInterfaces', async ({ sdk, client }, page, how) => {
  const { NetworkInterfaces, NextToken } = await client.send(
    // Without it, those that an AWS service manages for the account are left out.
    new sdk.DescribeNetworkInterfacesCommand({ ...page, IncludeManagedResources: true }),
    how,
  )
  return [picked(NetworkInterfaces, interfaceKeys), NextToken]
})
const flowLogs = listing('flow logs', 'DescribeFlowLogs', async ({ sdk, client }, page, how) => {
  const { FlowLogs, NextToken } = await client.send(new sdk.DescribeFlowLogsCommand(page), how)
  return [picked(FlowLogs, flowLogKeys), NextToken]
})
const groups = listing('security groups', 'DescribeSecurityGroups', async ({ sdk, client }, page, how) => {
  const { SecurityGroups, NextToken } = await client.send(new sdk.DescribeSecurityGroupsCommand(page), how)
  return [picked(SecurityGroups, groupKeys), NextToken]
})
const acls = listing('network ACLs', 'DescribeNetworkAcls', async ({ sdk, client }, page, how) => {
  const { NetworkAcls, NextToken } = await client.send(new sdk.DescribeNetworkAclsCommand(page), how)
  return [picked(NetworkAcls, aclKeys), NextToken]
})
const prefixLists = listing(
  'prefix lists',
  'DescribeManagedPrefixLists',
  async ({ sdk, client }, { NextToken: token }, how) => {
    const command = new sdk.DescribeManagedPrefixListsCommand({
      MaxResults: listsOfPage,
      ...(token !== undefined && { NextToken: token }),
    })
    const { PrefixLists, NextToken } = await client.send(command, how)
    return [picked(PrefixLists, listKeys), NextToken]
  },
)
const entriesOf = (list: string) =>
  listing(`entries of ${list}`, 'GetManagedPrefixListEntries', async ({ sdk, client }, { NextToken: token }, how) => {
    const command = new sdk.GetManagedPrefixListEntriesCommand({
      ...{ PrefixListId: list, MaxResults: listsOfPage },
      ...(token !== undefined && { NextToken: token }),
    })
    const { Entries, NextToken } = await client.send(command, how)
    return [picked(Entries, ['Cidr'] as const), NextToken]
  })

export type AwsVpc = Item<typeof vpcs>
export type AwsSubnet = Item<typeof subnets>
export type AwsInterface = Item<typeof interfaces>
export type AwsFlowLog = Item<typeof flowLogs>
export type AwsGroup = Item<typeof groups>
type AwsAcl = Item<typeof acls>
type AwsPrefixList = Item<typeof prefixLists>

/** The entries of a prefix list, as `get-managed-prefix-list-entries` prints them, with the list that they are of. */
export interface AwsListEntries {
  PrefixListId: string
  Entries: { Cidr?: string | undefined }[]
}

export interface AwsNetwork {
  /** Twelve digits; null where AWS does not tell whose the credentials are. */
  account: string | null
  vpcs: Told<AwsVpc>
  subnets: Told<AwsSubnet>
  interfaces: Told<AwsInterface>
  flowLogs: Told<AwsFlowLog>
  groups: Told<AwsGroup>
  acls: Told<AwsAcl>
  prefixLists: Told<AwsPrefixList>
  /** Of the prefix lists that rules of the groups name: those that AWS gave. */
  entries: AwsListEntries[]
  /** What is not told. */
  refused: Refused[]
}

const itemsOfPage = 1000
const listsOfPage = 100
/** Prefix lists whose entries are asked for at a time. */
const listsAtOnce = 4

/** The regions that are enabled in the account. @throws AwsError */
export async function enabledRegions(aws: AwsOptions, signal: AbortSignal): Promise<string[]> {
  // Any region tells of the others.
  const region = aws.region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1'
  const { sdk, client } = await ec2Client({ ...aws, region })
  try {
    const asked = askedFor('regions', 'ec2:DescribeRegions', region)
    const call = () => client.send(new sdk.DescribeRegionsCommand({}), { abortSignal: signal })
    const { Regions = [] } = await ask(asked, call, signal)
    const names = Regions.flatMap(({ RegionName }) => RegionName ?? []).sort()
    // That nothing is recorded nowhere must not look like an answer.
    if (names.length === 0) throw broken(asked, 'it names no region', 'NoRegions', noServer)
    return names
  } finally {
    client.destroy()
  }
}

/** The region that is asked where none is named. @throws AwsError where none is set anywhere. */
export async function ownRegion(aws: AwsOptions): Promise<string> {
  const { client } = await ec2Client(aws)
  try {
    return await ask({ doing: 'ask EC2', of: 'service', name: '', right: '' }, () => client.config.region())
  } finally {
    client.destroy()
  }
}

/** Never fails for what AWS refuses: that is `refused`. @throws whatever aborted the signal; what is no error of AWS. */
export async function describeNetwork(aws: AwsOptions & { region: string }, signal: AbortSignal): Promise<AwsNetwork> {
  const ec2 = await ec2Client(aws)
  const from = { ec2, region: aws.region, signal }
  try {
    const [account, ...lists] = await Promise.all([
      accountOf(aws, signal),
      ...([vpcs(from), subnets(from), interfaces(from), flowLogs(from), groups(from), acls(from)] as const),
    ])
    const named = listsIn(lists[4].items ?? [])
    const known: Told<AwsPrefixList> = named.length === 0 ? { items: [], refused: null } : await prefixLists(from)
    const entries: AwsListEntries[] = []
    const refused = [...lists, known].flatMap(one => one.refused ?? [])
    for (let i = 0; i < named.length; i += listsAtOnce) {
      const some = named.slice(i, i + listsAtOnce)
      const answers = await Promise.all(some.map(async list => ({ list, told: await entriesOf(list)(from) })))
      for (const { list, told } of answers)
        if (told.items === null) refused.push(told.refused)
        else entries.push({ PrefixListId: list, Entries: told.items })
    }
    return {
      ...{ account, vpcs: lists[0], subnets: lists[1], interfaces: lists[2], flowLogs: lists[3], groups: lists[4] },
      ...{ acls: lists[5], prefixLists: known, entries, refused },
    }
  } finally {
    ec2.client.destroy()
  }
}

interface From {
  ec2: Ec2
  region: string
  signal: AbortSignal
}

type Page = { MaxResults: number; NextToken?: string }

/** A list of EC2's, page after page. */
function listing<T>(
  what: string,
  action: string,
  pageOf: (ec2: Ec2, page: Page, how: { abortSignal: AbortSignal }) => Promise<[T[] | undefined, string | undefined]>,
): (from: From) => Promise<Told<T>> {
  return async ({ ec2, region, signal }) => {
    const right = `ec2:${action}`
    const asked = askedFor(what, right, region)
    const items: T[] = []
    let token: string | undefined
    try {
      do {
        const page = { MaxResults: itemsOfPage, ...(token !== undefined && { NextToken: token }) }
        const [some, next] = await ask(asked, () => pageOf(ec2, page, { abortSignal: signal }), signal)
        // What is no answer of EC2 must not look like one without items.
        if (some === undefined) throw broken(asked, 'the answer has no list', 'NoList', noServer)
        for (const item of some) items.push(item)
        token = nextMark(asked, token, next)
      } while (token !== undefined)
      return { items, refused: null }
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return { items: null, refused: { what, right, error } }
    }
  }
}

/** Of each item only some of its keys; undefined: the answer has no list, not even an empty one. */
function picked<T extends object, K extends keyof T>(
  items: readonly T[] | undefined,
  keys: readonly K[],
): Pick<T, K>[] | undefined {
  return items?.map(
    item => Object.fromEntries(keys.flatMap(key => (item[key] === undefined ? [] : [[key, item[key]]]))) as Pick<T, K>,
  )
}

function askedFor(what: string, right: string, region: string): Asked {
  return { doing: `ask EC2 of ${region} for its ${what}`, of: 'service', name: '', right }
}

/** The prefix lists that rules name. */
function listsIn(some: readonly AwsGroup[]): string[] {
  const rules = some.flatMap(one => [...(one.IpPermissions ?? []), ...(one.IpPermissionsEgress ?? [])])
  return [...new Set(rules.flatMap(one => (one.PrefixListIds ?? []).flatMap(list => list.PrefixListId ?? [])))].sort()
}

/** Whose the credentials are, which every account may ask; null where that service cannot be reached. */
async function accountOf(aws: AwsOptions, signal: AbortSignal): Promise<string | null> {
  const { sdk, client } = await stsClient(aws)
  const asked: Asked = {
    doing: 'ask whose credentials these are',
    of: 'service',
    name: '',
    right: 'sts:GetCallerIdentity',
  }
  try {
    const call = () => client.send(new sdk.GetCallerIdentityCommand({}), { abortSignal: signal })
    return (await ask(asked, call, signal)).Account ?? null
  } catch (error) {
    if (error instanceof AwsError) return null
    throw error
  } finally {
    client.destroy()
  }
}
