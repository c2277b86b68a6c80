/** The hosts of a finding by their sides: the clients and the servers of the connections that it rests on. */
import { isIPv4, parseAddress } from '../net/address.ts'
import type { ExportedFinding, FindingHost } from './items.ts'

interface Sides {
  /** Clients, and servers. A host may be both. */
  from: readonly string[]
  to: readonly string[]
  fromTotal: number
  toTotal: number
}

/** Whoever begins, and whoever is asked. Who acts is another question: data may be drawn by a server from its client. */
export function sidesOf(finding: ExportedFinding): Sides {
  const { pairs, pairs_cut, subject, peers, subject_total, peers_total } = finding
  const from = [...new Set(pairs.map(({ client }) => client))]
  const to = [...new Set(pairs.map(({ server }) => server))]
  if (!pairs_cut) return { from, to, fromTotal: from.length, toTotal: to.length }
  // Of more pairs than are named, the lists of hosts know more.
  const of = (hosts: readonly FindingHost[]): string[] => hosts.map(({ address }) => address)
  const isIn = (hosts: readonly FindingHost[], some: readonly string[]): boolean =>
    hosts.some(({ address }) => some.includes(address))
  if (!isIn(subject, to) && !isIn(peers, from))
    return { from: of(subject), to: of(peers), fromTotal: subject_total, toTotal: peers_total }
  if (!isIn(subject, from) && !isIn(peers, to))
    return { from: of(peers), to: of(subject), fromTotal: peers_total, toTotal: subject_total }
  const [all, total] = [[...of(subject), ...of(peers)], subject_total + peers_total]
  return { from: all, to: all, fromTotal: total, toTotal: total }
}

/** Whether an address is IPv4. */
export function isFour(address: string): boolean {
  const of = parseAddress(address)
  return of !== null && isIPv4(of)
}
