/** What judges connections under the rules of controls. */
import type { Artefact } from '../as-code/artefact.ts'
import { type CaseConnections, mark } from '../conversations/connections.ts'
import { type Address, parseAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import { type HomeSubnet, networkFor } from '../network-rules/attached.ts'
import { CompiledRules } from '../network-rules/compiled.ts'
import { type Decision, reasons } from '../network-rules/decision.ts'
import type { Network } from '../network-rules/network.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { Interfaces } from './interfaces.ts'
import { answersStopped, type Judge, JudgeOfAll, passes, stopped, undecided } from './judge.ts'
import type { ProtectedTraffic } from './protected.ts'
import { RateJudge } from './rate.ts'

/** What judges depend on beside the rules. */
export interface JudgeSettings {
  traffic: ProtectedTraffic
  hosts: RecordDictionaries['hosts']
  interfaces: Interfaces
  /** When the rules come into force; null: before everything. */
  at_us: number | null
  /** Those that were made: what came too often is counted once. */
  rates: Map<Artefact, RateJudge>
}

/** Null where there is nothing that stops a connection, as in an alarm. */
export function judgeOf(artefacts: readonly Artefact[], settings: JudgeSettings): Judge | null {
  const { hosts, at_us } = settings
  const subnets = new Set(artefacts.flatMap(one => (one.what === 'network-acl' ? one.subnets : [])))
  const hasRules = artefacts.some(({ what }) => what === 'security-group' || what === 'network-acl')
  const network = networkOf(artefacts, homeSubnets(settings, subnets))
  const judges = [
    ...(hasRules ? [new RulesJudge(network, hosts, at_us)] : []),
    ...artefacts.flatMap(one => (one.what === 'rate-rule' ? [rateJudge(one, settings)] : [])),
  ]
  if (judges.length === 0) return null
  return judges.length === 1 ? judges[0]! : new JudgeOfAll(judges)
}

function rateJudge(rule: Artefact & { what: 'rate-rule' }, { traffic, at_us, rates }: JudgeSettings): RateJudge {
  const judge = rates.get(rule) ?? new RateJudge(traffic, rule, at_us)
  rates.set(rule, judge)
  return judge
}

/** The groups and network ACLs where they are to be put; what is not of a control stays as it is. */
export function networkOf(artefacts: readonly Artefact[], subnets: HomeSubnet[]): Network {
  const groups = artefacts.filter(one => one.what === 'security-group')
  const acls = artefacts.filter(one => one.what === 'network-acl')
  return networkFor({
    groups: groups.map(({ group, direction, addresses }) => ({ group, direction, addresses: addressesOf(addresses) })),
    acls: acls.map(({ ingress, egress, subnets: ids, addresses }, i) => ({
      acl: { id: `network ACL ${i + 1}`, vpc: null, isDefault: false, ingress, egress },
      ...{ addresses: addressesOf(addresses), subnets: ids },
    })),
    subnets,
  })
}

/** The subnets of network ACLs with the hosts that are known to be in them. */
function homeSubnets(
  { traffic, interfaces }: Pick<JudgeSettings, 'traffic' | 'interfaces'>,
  ids: ReadonlySet<string>,
): HomeSubnet[] {
  return [...ids].map(id => ({
    id,
    addresses: [...interfaces].filter(([, { subnet }]) => subnet === id).map(([host]) => traffic.address(host)),
    prefixes: [],
  }))
}

function addressesOf(texts: readonly string[]): Address[] {
  return texts.map(text => parseAddress(text)!)
}

/** Groups and network ACLs. */
export class RulesJudge implements Judge {
  readonly reasons: string[] = []
  private readonly rules: CompiledRules
  /** By number of a decision. */
  private readonly verdicts: number[] = []
  private readonly at_us: number | null

  constructor(network: Network, hosts: RecordDictionaries['hosts'], at_us: number | null) {
    const marks = { unknownRole: mark.unknownRole, isError: mark.isError }
    this.at_us = at_us
    this.rules = new CompiledRules(network, hosts, marks, { from_us: at_us })
  }

  judge(all: CaseConnections, into: Uint32Array): void {
    this.rules.decide(all, into)
    const { decisions } = this.rules
    while (this.verdicts.length < decisions.length) this.verdicts.push(this.verdictOf(decisions[this.verdicts.length]!))
    for (let i = 0; i < all.count; i++) into[i] = this.verdicts[into[i]!]!
    if (this.at_us !== null) this.leaveCut(all, into, this.at_us)
  }

  /** Groups let live what had begun, so that it is a network ACL that stops it: in its midst. */
  private leaveCut({ count, start_us, end_us }: CaseConnections, into: Uint32Array, at_us: number): void {
    for (let i = 0; i < count; i++) {
      const isCut = into[i] === stopped || into[i] === answersStopped
      if (isCut && start_us[i]! < at_us && end_us[i]! > at_us)
        into[i] = this.numberOf(
          `a network ACL cuts it at ${utcSeconds(at_us)}, and what of it came after that, connections do not tell`,
        )
    }
  }

  private verdictOf(decision: Decision): number {
    if (decision.verdict === 'allowed') return passes
    if (decision.verdict === 'denied') return decision.by.stops === 'all' ? stopped : answersStopped
    return this.numberOf(reasons[decision.reason])
  }

  private numberOf(text: string): number {
    const known = this.reasons.indexOf(text)
    return undecided + (known >= 0 ? known : this.reasons.push(text) - 1)
  }
}
