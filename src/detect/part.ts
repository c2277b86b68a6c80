/** A case that holds all records of some hosts, and not all of the others: what is found of it, as if all records were there. */
import type { Seen } from '../conversations/host-facts.ts'
import type { Prefix } from '../net/prefix.ts'

/**
 * All records of which hosts of a finding must be there: its subjects, its peers, its internal hosts, or all of them. The connections of
 * such a host are then what they would be with all records, and so is what is known of it.
 */
export type WholeHosts = 'subject' | 'peers' | 'internal' | 'all'

export interface PartOfAll {
  /** Hosts of which every record is there. */
  whole: readonly Prefix[]
  /** By rule. What others find is not told: it may be of a part. */
  rests: Readonly<Record<string, WholeHosts>>
  /** When the first record of all begins and the last one ends, microseconds. */
  span: Seen['span']
}

/** The same by the numbers of hosts: plain data, as threads get it. */
export interface PartSettings {
  /** By host: 1 where all its records are there. */
  whole: Uint8Array
  rests: PartOfAll['rests']
  /** What all records show, as far as it is known. */
  seen: Seen
}

/** Whether a finding is what it would be with all records. */
export function isOfWhole(
  { whole, rests }: PartSettings,
  {
    rule,
    draft: { subject, peers },
  }: { rule: string; draft: { subject: readonly number[]; peers: readonly number[] } },
  isInternal: (host: number) => boolean,
): boolean {
  const asked = rests[rule]
  if (asked === undefined) return false
  const hosts = {
    subject: () => subject,
    peers: () => peers,
    internal: () => [...subject, ...peers].filter(isInternal),
    all: () => [...subject, ...peers],
  }[asked]()
  return hosts.length > 0 && hosts.every(host => whole[host] === 1)
}
