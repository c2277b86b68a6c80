/** What a rule over a whole case is given: its connections, and what is asked of its hosts. */
import { formatAddress } from '../net/address.ts'
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import { TCP } from '../net/protocols.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { type CaseConnections, isHeld, outcome } from './connections.ts'

/** What is asked of a host in all of the case. */
export interface HostFacts {
  /** By host: how many internal clients it has answered. */
  ownClients: Uint32Array
  /** By host: how many internal clients called it without an answer. */
  ownFailed: Uint32Array
  /** By host: how many external hosts it spoke to, either way, on ports from 1024 on. */
  highPeers: Uint32Array
  /** By host: how many hosts it exchanged ICMP with, those counted twice that began it both ways. */
  icmpPeers: Uint32Array
  /** By host: when the first connection with it begins, microseconds. */
  firstSeen_us: Float64Array
  /** By host: how many clients it has answered on the ports of mail. */
  mailClients: Uint32Array
  /** By host: how many clients tried to speak to it; and with how many of them it held a connection (`isHeld`). */
  allClients: Uint32Array
  heldClients: Uint32Array
  /** By host: when the first TCP connection begins of an internal host that an external one answers, on no port of web or mail; infinite without one. */
  firstCall_us: Float64Array
}

export interface CaseEvidence extends HostFacts {
  source: EvidenceKind
  /** What the records tell: where one is false, rules that need it say so. */
  has: {
    flags: boolean
    action: boolean
    rejected: boolean
    accepted: boolean
    answers: boolean
    /** Whether the analyst gave address lists. */
    lists: boolean
  }
  connections: CaseConnections
  hosts: number
  address(host: number): string
  /** Whether the internet does not route the address, or it is the analyst's own. */
  isInternal(host: number): boolean
  /** Whether the analyst declared it a scanner of their own. */
  isScanner(host: number): boolean
  /** When the first connection begins and the last one ends, microseconds. */
  span: { from_us: number; to_us: number }
  /** The aggregation interval of the logs, microseconds; of packets a second. */
  interval_us: number
}

/** Ports where programs of all kinds look for news and hold connections open for them. */
export const webAndMail: readonly number[] = [25, 80, 110, 143, 443, 465, 587, 853, 993, 995, 5222, 8080, 8443]

interface Given extends Pick<CaseEvidence, 'source' | 'isInternal' | 'isScanner' | 'interval_us' | 'connections'> {
  hosts: RecordDictionaries['hosts']
  hasFlags: boolean
  hasAction: boolean
}

export function evidenceOf({ hosts, hasFlags, hasAction, ...given }: Given): CaseEvidence {
  const { connections, isInternal } = given
  const { count, start_us, end_us, rejected, records, outcome: outcomes } = connections
  const span = { from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY }
  const has = { flags: hasFlags, action: hasAction, rejected: false, accepted: false, answers: false, lists: false }
  for (let i = 0; i < count; i++) {
    span.from_us = Math.min(span.from_us, start_us[i]!)
    span.to_us = Math.max(span.to_us, end_us[i]!)
    if (rejected[i]! > 0) has.rejected = true
    if (rejected[i]! < records[i]!) has.accepted = true
    if (outcomes[i]! === outcome.answered) has.answers = true
  }
  return {
    ...given,
    ...{ has, span, hosts: hosts.count },
    address: host => formatAddress(hosts.hi[host]!, hosts.lo[host]!),
    ...peersOf(connections, hosts.count, isInternal),
  }
}

/** Connections stand by client, protocol and server: a pair is counted once where it is marked with the client that was last. */
function peersOf(connections: CaseConnections, hosts: number, isInternal: (host: number) => boolean): HostFacts {
  const { count, client, server, port, protocol, start_us, outcome: outcomes } = connections
  const [ownClients, highPeers] = [new Uint32Array(hosts), new Uint32Array(hosts)]
  const [ownFailed, failed] = [new Uint32Array(hosts), new Uint32Array(hosts)]
  const [icmpPeers, icmp] = [new Uint32Array(hosts), new Uint32Array(hosts)]
  const infinite = () => new Float64Array(hosts).fill(Number.POSITIVE_INFINITY)
  const [firstSeen_us, firstCall_us] = [infinite(), infinite()]
  const [answered, high] = [new Uint32Array(hosts), new Uint32Array(hosts)]
  const [mailClients, mail] = [new Uint32Array(hosts), new Uint32Array(hosts)]
  const [allClients, all] = [new Uint32Array(hosts), new Uint32Array(hosts)]
  const [heldClients, held] = [new Uint32Array(hosts), new Uint32Array(hosts)]
  for (let i = 0; i < count; i++) {
    const [from, to] = [client[i]!, server[i]!]
    firstSeen_us[from] = Math.min(firstSeen_us[from]!, start_us[i]!)
    firstSeen_us[to] = Math.min(firstSeen_us[to]!, start_us[i]!)
    if ((protocol[i] === ICMP || protocol[i] === ICMPV6) && icmp[to] !== from + 1) {
      icmp[to] = from + 1
      icmpPeers[from]!++
      icmpPeers[to]!++
    }
    if (outcomes[i] === outcome.answered && isInternal(from) && answered[to] !== from + 1) {
      answered[to] = from + 1
      ownClients[to]!++
    }
    if (outcomes[i] === outcome.answered && mailPorts.includes(port[i]!) && mail[to] !== from + 1) {
      mail[to] = from + 1
      mailClients[to]!++
    }
    if (outcomes[i] !== outcome.answered && isInternal(from) && failed[to] !== from + 1) {
      failed[to] = from + 1
      ownFailed[to]!++
    }
    const isCall = outcomes[i] === outcome.answered && protocol[i] === TCP && isInternal(from) && !isInternal(to)
    if (isCall && start_us[i]! < firstCall_us[from]! && !webAndMail.includes(port[i]!))
      firstCall_us[from] = start_us[i]!
    if (all[to] !== from + 1) {
      all[to] = from + 1
      allClients[to]!++
    }
    if (held[to] !== from + 1 && isHeld(connections, i)) {
      held[to] = from + 1
      heldClients[to]!++
    }
    const isHigh = port[i]! >= 1024 && port[i]! <= 65_535
    if (isHigh && isInternal(from) !== isInternal(to) && high[to] !== from + 1) {
      high[to] = from + 1
      highPeers[from]!++
      highPeers[to]!++
    }
  }
  return {
    ownClients,
    ownFailed,
    highPeers,
    icmpPeers,
    firstSeen_us,
    firstCall_us,
    mailClients,
    allClients,
    heldClients,
  }
}

/** SMTP: between servers, and from clients to the server that sends for them. */
const mailPorts: readonly number[] = [25, 465, 587]

/** A host that speaks to that number of others on high ports is in a peer-to-peer network: dead peers and odd ports are its nature. */
export const peerToPeer = 50
