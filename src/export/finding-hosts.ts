/** The hosts of a finding by their sides: whoever sends to whom, as far as the finding tells it. */
import { isIPv4, parseAddress } from '../net/address.ts'
import type { ExportedFinding, FindingHost } from './items.ts'

interface Sides {
  from: readonly FindingHost[]
  to: readonly FindingHost[]
  fromTotal: number
  toTotal: number
}

/** The subject acts, but where it suffers what its peers do. */
export function sidesOf({ subject, peers, subject_total, peers_total }: ExportedFinding): Sides {
  return subject[0]?.part === 'suffers'
    ? { from: peers, to: subject, fromTotal: peers_total, toTotal: subject_total }
    : { from: subject, to: peers, fromTotal: subject_total, toTotal: peers_total }
}

/** Pairs of hosts of both sides, as many at most. */
export function pairsOf(finding: ExportedFinding, most: number): { from: string; to: string }[] {
  const sides = sidesOf(finding)
  const pairs: { from: string; to: string }[] = []
  for (const from of sides.from)
    for (const to of sides.to) {
      if (pairs.length === most) return pairs
      pairs.push({ from: from.address, to: to.address })
    }
  return pairs
}

/** Whether an address is IPv4. */
export function isFour(address: string): boolean {
  const of = parseAddress(address)
  return of !== null && isIPv4(of)
}
