/** What several roles of one account are told, as one answer: each of them may see what another may not. */
import type { AwsNetwork, Refused, Told } from '../aws/network.ts'

/** @param networks of one account and region. */
export function together(networks: readonly AwsNetwork[]): AwsNetwork {
  const [first] = networks
  if (networks.length === 1) return first!
  const all = {
    vpcs: oneOf(networks, 'vpcs', ({ VpcId }) => VpcId),
    subnets: oneOf(networks, 'subnets', ({ SubnetId }) => SubnetId),
    interfaces: oneOf(networks, 'interfaces', ({ NetworkInterfaceId }) => NetworkInterfaceId),
    flowLogs: oneOf(networks, 'flowLogs', ({ FlowLogId }) => FlowLogId),
    groups: oneOf(networks, 'groups', ({ GroupId }) => GroupId),
    acls: oneOf(networks, 'acls', ({ NetworkAclId }) => NetworkAclId),
  }
  // Only who sees the rules knows which prefix lists they name.
  const readers = networks.filter(({ groups }) => groups.items !== null)
  const prefixLists = oneOf(readers.length > 0 ? readers : networks, 'prefixLists', ({ PrefixListId }) => PrefixListId)
  const entries = firstOfEach(
    networks.flatMap(one => one.entries),
    ({ PrefixListId }) => PrefixListId,
  )
  const told = new Set(entries.map(({ PrefixListId }) => `entries of ${PrefixListId}`))
  const ofEntries = networks.flatMap(one => one.refused.filter(({ what }) => what.startsWith('entries of ')))
  const refused = [
    ...[...Object.values(all), prefixLists].flatMap((one: Told<unknown>): Refused[] =>
      one.refused === null ? [] : [one.refused],
    ),
    ...firstOfEach(ofEntries, ({ what }) => what).filter(({ what }) => !told.has(what)),
  ]
  return { account: first!.account, ...all, prefixLists, entries, refused }
}

type Lists = Omit<AwsNetwork, 'account' | 'entries' | 'refused'>
type ItemOf<K extends keyof Lists> = Lists[K] extends Told<infer T> ? T : never

/** A list is told if one of them was told it. */
function oneOf<K extends keyof Lists>(
  networks: readonly AwsNetwork[],
  list: K,
  idOf: (item: ItemOf<K>) => string | undefined,
): Told<ItemOf<K>> {
  const lists = networks.map(one => one[list] as Told<ItemOf<K>>)
  const told = lists.flatMap(({ items }) => (items === null ? [] : [items]))
  if (told.length === 0) return lists[0]!
  return { items: firstOfEach(told.flat(), idOf), refused: null }
}

function firstOfEach<T>(items: readonly T[], idOf: (item: T) => string | undefined): T[] {
  const known = new Map<string | undefined, T>()
  for (const item of items) if (!known.has(idOf(item))) known.set(idOf(item), item)
  return [...known.values()]
}
