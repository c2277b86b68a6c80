/** Which VPCs, subnets and interfaces of a place are recorded, by which flow logs, and how well. */
import type { AwsInterface, AwsNetwork, AwsSubnet, AwsVpc } from '../aws/network.ts'
import { integerText } from '../net/counts.ts'
import { type Cover, coverBy, type Place } from './flow-logs.ts'
import type { CoveredResource, PostureFlowLog } from './posture.ts'

/** A resource with what lies within it. */
interface Node {
  id: string
  name: string | null
  vpc: string | null
  subnet: string | null
  /** Accounts that it, or what it lies in, belongs to: their flow logs are shown to nobody else. */
  owners: string[]
}

const silent = { traffic: null, interval: null, lacks: [], flow_logs: [] } satisfies Partial<Cover>

/** Of what AWS did not list there is no resource. */
export function coverage(network: AwsNetwork, place: Place, logs: readonly PostureFlowLog[] | null): CoveredResource[] {
  return new Coverage(network, place, logs).all()
}

class Coverage {
  private readonly place: Place
  private readonly areLogsTold: boolean
  private readonly logsOf = new Map<string, PostureFlowLog[]>()
  private readonly vpcs: Node[]
  private readonly subnets: Node[]
  private readonly interfaces: Node[]
  /** How many interfaces lie in a VPC or subnet, and how many parts of it have a flow log of their own. */
  private readonly within = new Map<string, { interfaces: number; logged: number }>()
  private readonly areInterfacesTold: boolean
  /** Kinds of flow logs of which it is not told what they lie in. */
  private readonly unplaced: ('subnet' | 'eni')[]

  constructor(network: AwsNetwork, place: Place, logs: readonly PostureFlowLog[] | null) {
    this.place = place
    this.areLogsTold = logs !== null
    for (const log of logs ?? []) this.logsOf.set(log.resource, [...(this.logsOf.get(log.resource) ?? []), log])
    const owners = new Map((network.vpcs.items ?? []).map(({ VpcId = '', OwnerId }) => [VpcId, OwnerId]))
    this.vpcs = (network.vpcs.items ?? []).map(vpcNode)
    this.subnets = (network.subnets.items ?? []).map(one => subnetNode(one, owners))
    this.interfaces = (network.interfaces.items ?? []).map(one => interfaceNode(one, owners))
    this.areInterfacesTold = network.interfaces.items !== null
    const untold = { subnet: network.subnets.items === null, eni: !this.areInterfacesTold }
    const resources = [...this.logsOf.keys()]
    this.unplaced = (['subnet', 'eni'] as const).filter(
      kind => untold[kind] && resources.some(one => one.startsWith(`${kind}-`)),
    )
    for (const { id, vpc } of this.subnets) this.countIn(vpc, 0, this.logsOf.has(id))
    for (const { id, vpc, subnet } of this.interfaces)
      for (const around of [vpc, subnet]) this.countIn(around, 1, this.logsOf.has(id))
  }

  private countIn(around: string | null, interfaces: number, isLogged: boolean): void {
    if (around === null) return
    const known = this.within.get(around) ?? { interfaces: 0, logged: 0 }
    this.within.set(around, {
      interfaces: known.interfaces + interfaces,
      logged: known.logged + (isLogged ? 1 : 0),
    })
  }

  all(): CoveredResource[] {
    const covers = new Map<string | null, Cover>()
    const rows: CoveredResource[] = []
    const add = (what: CoveredResource['what'], node: Node, around: string | null): void => {
      const cover = this.coverOf(node, what)
      covers.set(node.id, cover)
      rows.push({
        ...{ what, id: node.id, name: node.name, ...this.place, vpc: node.vpc, subnet: node.subnet },
        ...{ state: cover.state, why: cover.why, flow_logs: cover.flow_logs },
        ...{ traffic: cover.traffic, interval: cover.interval, lacks: cover.lacks },
        interfaces:
          what === 'interface' || !this.areInterfacesTold ? null : (this.within.get(node.id)?.interfaces ?? 0),
        as_around: isSame(cover, covers.get(around)),
      })
    }
    for (const vpc of this.vpcs) add('vpc', vpc, null)
    for (const subnet of this.subnets) add('subnet', subnet, subnet.vpc)
    for (const one of this.interfaces) add('interface', one, covers.has(one.subnet) ? one.subnet : one.vpc)
    return rows
  }

  private coverOf({ id, vpc, subnet, owners }: Node, what: CoveredResource['what']): Cover {
    if (!this.areLogsTold) return { ...silent, state: 'unknown', why: ['the flow logs are not told'] }
    const logs = [...new Set([id, subnet, vpc])].flatMap(one => this.logsOf.get(one ?? '') ?? [])
    const cover = logs.length > 0 ? coverBy(logs) : this.uncovered(id, what)
    const { account } = this.place
    const others = [...new Set(owners.filter(owner => account !== null && owner !== account))]
    if (others.length === 0 || cover.state === 'good') return cover
    const why = `it belongs to, or lies in what belongs to, ${others.join(' and ')}, whose flow logs are not shown to ${account}`
    return { ...cover, state: 'unknown', why: [why, ...(logs.length > 0 ? cover.why : [])] }
  }

  private uncovered(id: string, what: CoveredResource['what']): Cover {
    const logged = this.within.get(id)?.logged ?? 0
    const parts = what === 'vpc' ? 'subnets and interfaces' : 'interfaces'
    if (logged > 0) {
      const some = `${integerText(logged)} of its ${parts} ${logged === 1 ? 'has' : 'have'} one`
      return { ...silent, state: 'partial', why: [`it has no flow log of its own; ${some}`] }
    }
    const isOpen = what !== 'interface' && this.unplaced.some(kind => what === 'vpc' || kind === 'eni')
    if (!isOpen) return { ...silent, state: 'without', why: ['no flow log records it'] }
    return {
      ...{ ...silent, state: 'unknown' },
      why: [`it has no flow log of its own; whether its ${parts} have one is not told`],
    }
  }
}

function isSame(cover: Cover, around: Cover | undefined): boolean {
  if (around === undefined || cover.state !== around.state) return false
  return cover.why.join('\n') === around.why.join('\n') && cover.flow_logs.join(' ') === around.flow_logs.join(' ')
}

function nameIn(tags: AwsVpc['Tags']): string | null {
  return tags?.find(({ Key }) => Key === 'Name')?.Value || null
}

function vpcNode({ VpcId = '', OwnerId, Tags }: AwsVpc): Node {
  return { id: VpcId, name: nameIn(Tags), vpc: null, subnet: null, owners: OwnerId === undefined ? [] : [OwnerId] }
}

function subnetNode({ SubnetId = '', VpcId, OwnerId, Tags }: AwsSubnet, owners: Owners): Node {
  const all = [OwnerId, owners.get(VpcId ?? '')].flatMap(owner => owner ?? [])
  return { id: SubnetId, name: nameIn(Tags), vpc: VpcId ?? null, subnet: null, owners: all }
}

type Owners = ReadonlyMap<string, string | undefined>

function interfaceNode(one: AwsInterface, owners: Owners): Node {
  const { NetworkInterfaceId = '', VpcId, SubnetId, OwnerId, Description } = one
  const all = [OwnerId, owners.get(VpcId ?? '')].flatMap(owner => owner ?? [])
  return {
    ...{ id: NetworkInterfaceId, name: Description || null, vpc: VpcId ?? null, subnet: SubnetId ?? null },
    owners: all,
  }
}
