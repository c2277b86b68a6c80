/** What AWS told of rules, as its commands print it: so `controls --try` reads it. */
import type { AwsNetwork } from '../aws/network.ts'
import type { RulesText } from '../controls/controls.ts'
import type { Place } from './flow-logs.ts'

/** JSON of one text is held whole. */
const itemsOfText = 10_000

export function rulesTexts(network: AwsNetwork, { account, region }: Place): RulesText[] {
  const { groups, acls, interfaces, subnets, prefixLists, entries } = network
  const where = `${account ?? 'account not told'}, ${region}`
  const texts = (command: string, key: string, items: readonly object[] | null): RulesText[] =>
    partsOf(items ?? []).map((some, part) => ({
      path: `aws ec2 ${command} (${where}${part === 0 ? '' : `, part ${part + 1}`})`,
      bytes: Buffer.from(JSON.stringify({ [key]: some })),
    }))
  return [
    ...texts('describe-security-groups', 'SecurityGroups', groups.items),
    ...texts('describe-network-acls', 'NetworkAcls', acls.items),
    ...texts('describe-network-interfaces', 'NetworkInterfaces', interfaces.items),
    ...texts('describe-subnets', 'Subnets', subnets.items),
    ...texts('describe-managed-prefix-lists', 'PrefixLists', prefixLists.items),
    ...entries.map(one => ({
      path: `aws ec2 get-managed-prefix-list-entries --prefix-list-id ${one.PrefixListId} (${where})`,
      bytes: Buffer.from(JSON.stringify(one)),
    })),
  ]
}

function partsOf<T>(items: readonly T[]): T[][] {
  const parts: T[][] = []
  for (let i = 0; i < items.length; i += itemsOfText) parts.push(items.slice(i, i + itemsOfText))
  return parts
}
