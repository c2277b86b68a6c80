/** What becomes of a connection under rules. */

/** Why it is not decidable. */
export const reasons = {
  'unknown-protocol': 'its protocol is not known',
  'unknown-port': 'a port that a rule asks for is not known',
  'unknown-icmp-type': 'its ICMP type or code is not known, and a rule asks for it',
  'unknown-role': 'nobody knows which side began it, and the rules differ by that',
  'unknown-time': 'its time is not known, and the rules were put in force at one',
  'icmp-error': 'an ICMP error about another connection, which a group may let through as its answer',
  'no-interface': 'no network interface is known that has the address',
  'ambiguous-address': 'several interfaces or subnets have the address',
  translated: 'the address was translated on the way',
  'groups-not-told': 'which security groups the interface has is not known',
  'group-not-described': 'a security group of the interface is not described',
  'group-members': 'a rule names a security group, and whether the other end has it is not known',
  'prefix-list': 'a rule names a prefix list whose entries are not known',
  'no-subnet': 'the subnet of the address is not known',
  'same-subnet': 'whether both ends are in one subnet is not known',
  'acl-not-described': 'the network ACL of the subnet is not described',
} as const
export type Reason = keyof typeof reasons

/** The part of the rules that stops it: the first on the way. */
export interface Denial {
  at: 'client' | 'server'
  what: 'group' | 'acl'
  /** All groups of the interface, or the ACL. */
  ids: string[]
  direction: 'ingress' | 'egress'
  /** Number of the entry of the ACL; null: nothing allows it. */
  entry: number | null
  /** Packets from the client, or those from the server. */
  packets: 'request' | 'answer'
  /**
   * `answers`: what the client sends arrives all the same. Where a handshake is needed (TCP, SCTP) a stopped answer stops `all`, though the
   * packets that ask for it arrive. Where the protocol is not known it is at least the answers.
   */
  stops: 'all' | 'answers'
}

/**
 * Why it passes. `rules`: all on its way allow it. `no-border`: none stands on its way (both ends in one subnet, or outside; sides that are not
 * judged). `exempt`: AWS filters it nowhere. `same-host`: it never left its interface. `tracked`: it had begun when the rules were put in force,
 * and groups let live what they track. `ended-before`: the rules were not in force yet.
 */
export type Passing = 'rules' | 'no-border' | 'exempt' | 'same-host' | 'tracked' | 'ended-before'

export type Decision =
  | { verdict: 'allowed'; because: Passing }
  | { verdict: 'denied'; by: Denial }
  | { verdict: 'undecided'; reason: Reason }

export const allowed = (because: Passing): Decision => ({ verdict: 'allowed', because })
export const undecided = (reason: Reason): Decision => ({ verdict: 'undecided', reason })
