/** A file of the user's that enriches, as reports name it. */

export const enrichmentKinds = ['list', 'geoip', 'asn', 'aws-ranges', 'networks'] as const
export type EnrichmentKind = (typeof enrichmentKinds)[number]

/** A file that was used, as reports name it. */
export interface EnrichmentFile {
  /** As it was named. */
  path: string
  kind: EnrichmentKind
  sha256: string
  /** Addresses, prefixes and ranges that count; of MMDB files nodes of the tree. */
  entries: number
  /** The time that its entries are valid for, as far as it says: the earliest begin and the latest end. ISO 8601; null: it does not say. */
  from: string | null
  to: string | null
  /** When it was made, as it says itself; null: it does not. */
  dated: string | null
  /** Entries that do not count, by why: revoked, not for detection, no address. */
  left_out: Record<string, number>
}

/** Something in such a file that could not be read. */
export interface EnrichmentProblem {
  path: string
  /** From 1; absent where the file has no lines: the problem names the object then. */
  line?: number
  problem: string
}
