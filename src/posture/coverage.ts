/** Which VPCs, subnets and interfaces of a place are recorded, by which flow logs, and how well. */
import type { AwsInterface, AwsNetwork, AwsSubnet, AwsVpc } from '../aws/network.ts'
import { integerText } from '../net/counts.ts'
import { type Cover, coverBy, type Place } from './flow-logs.ts'
import type { CoveredResource, PostureFlowLog } from './posture.ts'

/** What AWS says of one account and region. `logs`: null where the flow logs are not told. */
export interface View {
  network: AwsNetwork
  place: Place
  logs: readonly PostureFlowLog[] | null
}

/** A resource, and who sees it. */
interface Node {
  id: string
  name: string | null
  vpc: string | null
  subnet: string | null
  owner: string | undefined
  /** Its owner's, if that was asked. */
  view: View
  views: readonly View[]
  /** Accounts that it, or what it lies in, belongs to: their flow logs are shown to nobody else. */
  owners: string[]
}

const silent = { traffic: null, interval: null, lacks: [], flow_logs: [] } satisfies Partial<Cover>

/** Each resource once, however many accounts see it. Of what AWS did not list there is no resource. */
export function coverage(views: readonly View[]): CoveredResource[] {
  return new Coverage(views).all()
}

class Coverage {
  /** Accounts of each region whose flow logs are told. */
  private readonly tellers = new Map<string, Set<string | null>>()
  private readonly logsOf = new Map<string, PostureFlowLog[]>()
  private readonly vpcs: Node[]
  private readonly subnets: Node[]
  private readonly interfaces: Node[]
  /** How many interfaces lie in a VPC or subnet, and how many parts of it have a flow log of their own. */
  private readonly within = new Map<string, { interfaces: number; logged: number }>()
  /** Owners of the interfaces in a VPC or subnet: those of a shared one may have flow logs of their own for them. */
  private readonly ownersIn = new Map<string, Set<string>>()
  /** Kinds of flow logs of which it is not told what they lie in. */
  private readonly unplaced = new Map<View, ('subnet' | 'eni')[]>()

  constructor(views: readonly View[]) {
    for (const view of views) this.addLogs(view)
    const owners = new Map<string, string | undefined>()
    for (const { network } of views)
      for (const { VpcId = '', OwnerId } of network.vpcs.items ?? []) owners.set(VpcId, OwnerId)
    this.vpcs = once(views, ({ network }) => (network.vpcs.items ?? []).map(vpcNode))
    this.subnets = once(views, ({ network }) => (network.subnets.items ?? []).map(one => subnetNode(one, owners)))
    this.interfaces = once(views, ({ network }) =>
      (network.interfaces.items ?? []).map(one => interfaceNode(one, owners)),
    )
    for (const { id, vpc } of this.subnets) this.countIn(vpc, 0, this.logsOf.has(id))
    for (const { id, vpc, subnet, owner } of this.interfaces)
      for (const around of [vpc, subnet]) {
        this.countIn(around, 1, this.logsOf.has(id))
        if (around !== null && owner !== undefined)
          this.ownersIn.set(around, new Set([...(this.ownersIn.get(around) ?? []), owner]))
      }
  }

  private addLogs(view: View): void {
    const { network, place, logs } = view
    for (const log of logs ?? []) {
      const known = this.logsOf.get(log.resource)
      if (known === undefined) this.logsOf.set(log.resource, [log])
      else if (!known.some(({ id }) => id === log.id)) known.push(log)
    }
    if (logs !== null)
      this.tellers.set(place.region, new Set([...(this.tellers.get(place.region) ?? []), place.account]))
    const untold = { subnet: network.subnets.items === null, eni: network.interfaces.items === null }
    const kinds = (['subnet', 'eni'] as const).filter(
      kind => untold[kind] && logs?.some(({ resource }) => resource.startsWith(`${kind}-`)),
    )
    this.unplaced.set(view, kinds)
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
        ...{ what, id: node.id, name: node.name, ...node.view.place, vpc: node.vpc, subnet: node.subnet },
        ...{ state: cover.state, why: cover.why, flow_logs: cover.flow_logs },
        ...{ traffic: cover.traffic, interval: cover.interval, lacks: cover.lacks },
        interfaces:
          what === 'interface' || node.view.network.interfaces.items === null
            ? null
            : (this.within.get(node.id)?.interfaces ?? 0),
        as_around: isSame(cover, covers.get(around)),
      })
    }
    for (const vpc of this.vpcs) add('vpc', vpc, null)
    for (const subnet of this.subnets) add('subnet', subnet, subnet.vpc)
    for (const one of this.interfaces) add('interface', one, covers.has(one.subnet) ? one.subnet : one.vpc)
    return rows
  }

  private coverOf(node: Node, what: CoveredResource['what']): Cover {
    const { id, vpc, subnet, owners, view, views } = node
    const tellers = this.tellers.get(view.place.region) ?? new Set<string | null>()
    const askers = views.flatMap(({ place, logs }) => (logs === null ? [] : [place.account]))
    if (askers.length === 0 && !owners.some(owner => tellers.has(owner)))
      return { ...silent, state: 'unknown', why: ['the flow logs are not told'] }
    const logs = [...new Set([id, subnet, vpc])].flatMap(one => this.logsOf.get(one ?? '') ?? [])
    // Where it is not told who asks, every owner may be that account.
    const hiddenOf = (all: Iterable<string>): string[] =>
      askers.includes(null) ? [] : [...new Set(all)].filter(owner => !tellers.has(owner))
    const cover = logs.length > 0 ? coverBy(logs) : this.uncovered(node, what, hiddenOf(this.ownersIn.get(id) ?? []))
    const hidden = hiddenOf(owners)
    if (hidden.length === 0 || cover.state === 'good') return cover
    const why = `it belongs to, or lies in what belongs to, ${hidden.join(' and ')}, whose flow logs are not shown to ${[...tellers].join(' and ')}`
    return { ...cover, state: 'unknown', why: [why, ...(logs.length > 0 ? cover.why : [])] }
  }

  /** @param strangers owners of interfaces in it whose flow logs are not told. */
  private uncovered({ id, views }: Node, what: CoveredResource['what'], strangers: readonly string[]): Cover {
    const logged = this.within.get(id)?.logged ?? 0
    const parts = what === 'vpc' ? 'subnets and interfaces' : 'interfaces'
    if (logged > 0) {
      const some = `${integerText(logged)} of its ${parts} ${logged === 1 ? 'has' : 'have'} one`
      return { ...silent, state: 'partial', why: [`it has no flow log of its own; ${some}`] }
    }
    // https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html: who uses a shared subnet makes flow logs of its own interfaces.
    if (strangers.length > 0) {
      const why = `it has no flow log of its own; ${strangers.join(' and ')}, not asked, may have one for interfaces in it`
      return { ...silent, state: 'unknown', why: [why] }
    }
    const isOpen =
      what !== 'interface' &&
      views.some(view => this.unplaced.get(view)?.some(kind => what === 'vpc' || kind === 'eni'))
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

type Seen = Omit<Node, 'view' | 'views'>

/** What several views tell of, once: as its owner sees it, who alone is told its tags. */
function once(views: readonly View[], seen: (view: View) => Seen[]): Node[] {
  const nodes = new Map<string, Node>()
  for (const view of views) {
    const alone = [view]
    for (const one of seen(view)) {
      const known = nodes.get(one.id)
      if (known === undefined) nodes.set(one.id, { ...one, view, views: alone })
      else {
        const all = [...known.views, view]
        nodes.set(one.id, view.place.account === one.owner ? { ...one, view, views: all } : { ...known, views: all })
      }
    }
  }
  return [...nodes.values()]
}

function vpcNode({ VpcId = '', OwnerId: owner, Tags }: AwsVpc): Seen {
  return { id: VpcId, name: nameIn(Tags), vpc: null, subnet: null, owner, owners: owner === undefined ? [] : [owner] }
}

function subnetNode({ SubnetId = '', VpcId, OwnerId: owner, Tags }: AwsSubnet, owners: Owners): Seen {
  const all = [owner, owners.get(VpcId ?? '')].flatMap(one => one ?? [])
  return { id: SubnetId, name: nameIn(Tags), vpc: VpcId ?? null, subnet: null, owner, owners: all }
}

type Owners = ReadonlyMap<string, string | undefined>

function interfaceNode(one: AwsInterface, owners: Owners): Seen {
  const { NetworkInterfaceId = '', VpcId, SubnetId, OwnerId: owner, Description } = one
  const all = [owner, owners.get(VpcId ?? '')].flatMap(known => known ?? [])
  return {
    ...{ id: NetworkInterfaceId, name: Description || null, vpc: VpcId ?? null, subnet: SubnetId ?? null },
    ...{ owner, owners: all },
  }
}
