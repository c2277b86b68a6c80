/** Tries rules of the user's own on the recorded connections, and tells where these say that other rules were in force. */
import { outcome } from '../conversations/connections.ts'
import { marksOf } from '../conversations/hosts.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import { exitStatus, UserError } from '../errors.ts'
import { type Address, formatAddress } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Network } from '../network-rules/network.ts'
import { Places } from '../network-rules/places.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import type { TriedRules } from './control.ts'
import { gatherTraffic } from './gather.ts'
import { answersStopped, passes, stopped, undecided } from './judge.ts'
import { RulesJudge } from './judges.ts'
import { hasSizes, type Inquiry, marksIn } from './situation.ts'
import { markedHosts, type Traffic } from './traffic.ts'
import { addressOf, Group, listedMost, type ServiceDraft, servicesIn, type TrialDraft, tryOn } from './trial.ts'

/** Groups that a message names. */
const namedMost = 5

/** What became of them, with the places of the services that are named. */
export interface TriedDraft {
  trial: TrialDraft | null
  judged: TriedRules['judged']
  acceptedDenied: { listed: ServiceDraft[]; total: number; connections: number }
  no_interface: string[]
  rejectedAllowed: { listed: ServiceDraft[]; total: number; connections: number }
  traffic: Traffic
}

/** @throws UserError (status 2) where the files tell no group and no network ACL, and so nothing is judged. */
export function requireRules({ groups, acls, interfaces }: Network, paths: readonly string[]): void {
  if (groups.length + acls.length > 0) return
  const named = [...new Set(interfaces.flatMap(one => one.groups ?? []))]
  const shown = named.slice(0, namedMost).join(', ')
  const left = named.length - namedMost
  const names = `${paths.join(', ')} ${paths.length === 1 ? 'names' : 'name'}`
  const what =
    named.length === 0 ? '' : `: ${names} ${shown}${left > 0 ? ` and ${left} more` : ''}, which no file describes`
  throw new UserError(`no rules in the files${what}`, {
    hint: 'add what aws ec2 describe-security-groups, or describe-network-acls, prints: --try groups.json',
    status: exitStatus.usage,
  })
}

/** @throws UserError where there is too little memory for the connections of the hosts that the rules speak of. */
export async function tryRules(
  c: Case,
  index: RecordIndex,
  kept: KeptConnections,
  network: Network,
  {
    inquiry,
    own,
    threads,
    at_us,
  }: { inquiry: Inquiry | null; own: readonly Prefix[]; threads: number; at_us: number | null },
): Promise<TriedDraft> {
  const { hosts } = index.dictionaries
  const marks = marksIn(inquiry, hosts, own)
  const spokenOf = marksOf(hosts, prefixesOf(network))
  const traffic = await gatherTraffic(kept, hosts, marks, {
    ...{ threads, requireGoing: () => c.db.requireGoing(), withRejected: true },
    markOthers: (_, others) => others.set(spokenOf),
  })
  const judge = new RulesJudge(network, hosts, at_us)
  const trial =
    inquiry === null ? null : tryOn(traffic, judge, { hasSizes: hasSizes(c), withOthers: false, most: listedMost })
  const no_interface = withoutInterface(traffic, network)
  return { trial, ...contradictions(traffic, new RulesJudge(network, hosts, null), hasSizes(c)), no_interface, traffic }
}

function withoutInterface(traffic: Traffic, network: Network): string[] {
  if (network.groups.length === 0 || network.others === 'not-judged') return []
  const places = new Places(network)
  const { hi, lo } = traffic.hosts
  return markedHosts(traffic.protected)
    .filter(host => {
      const { interface: one, isAmbiguous, kind } = places.at({ hi: hi[host]!, lo: lo[host]! })
      return one === null && !isAmbiguous && kind !== 'outside'
    })
    .slice(0, listedMost)
    .map(host => addressOf(traffic, host))
}

/** The addresses that have an interface or a subnet. */
function prefixesOf({ interfaces, subnets }: Network): Prefix[] {
  const single = (first: Address): Prefix => ({ text: formatAddress(first.hi, first.lo), first, last: first })
  return [
    ...interfaces.flatMap(one => [...[...one.addresses, ...one.publicAddresses].map(single), ...one.prefixes]),
    ...subnets.flatMap(({ prefixes }) => prefixes),
  ]
}

/** What was recorded as accepted though the rules deny it, and the other way round: then other rules were in force. */
function contradictions(
  { pieces, hosts, protected: isProtected }: Traffic,
  judge: RulesJudge,
  sized: boolean,
): Pick<TriedDraft, 'judged' | 'acceptedDenied' | 'rejectedAllowed'> {
  const judged = { connections: 0, allowed: 0, denied: 0, undecided: 0 }
  const [accepted, rejected] = [new Group(listedMost), new Group(listedMost)]
  for (const { connections } of pieces) {
    const { count } = connections
    const verdicts = new Uint32Array(count)
    judge.judge(connections, verdicts)
    for (let i = 0; i < count; i++) {
      judged.connections++
      const verdict = verdicts[i]!
      if (verdict >= undecided) {
        judged.undecided++
        continue
      }
      const isOut = isProtected[connections.client[i]!] === 1
      const isRejected = connections.outcome[i] === outcome.rejected
      if (verdict === passes) judged.allowed++
      else judged.denied++
      if (isRejected && verdict === passes) rejected.add(connections, i, isOut)
      if (!isRejected && (verdict === stopped || verdict === answersStopped)) accepted.add(connections, i, isOut)
    }
    accepted.endRun()
    rejected.endRun()
  }
  const told = (group: Group): TriedDraft['acceptedDenied'] => ({
    listed: servicesIn({ hosts }, group, sized),
    total: group.services.total,
    connections: group.sum.connections,
  })
  return { judged, acceptedDenied: told(accepted), rejectedAllowed: told(rejected) }
}
