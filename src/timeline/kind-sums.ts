/** What rows sum up to by what their kinds have in common: sensor, action, protocol; and all together. */
import { noProtocol, type TimelineAbout } from './layout.ts'
import { how } from './sums.ts'

/** Figures of one key, in the order in which they stand. */
const at = {
  records: 0,
  rejected: 1,
  moved: 2,
  bytesSaid: 3,
  packetsSaid: 4,
  collapsed: 5,
  unsummed: 6,
  bytes: 7,
  packets: 8,
}
const width = 9

export interface KindSum {
  records: number
  rejected: number
  /** Null where no record that counts says it. */
  bytes: number | bigint | null
  packets: number | bigint | null
  collapsed: number
  unsummed: number
}

/** What kinds are told apart by: the keys, and by kind the number of its own. */
export interface KindKeys<Key> {
  keys: readonly (Key | null)[]
  of: Uint32Array
}

interface AllKeys {
  all: KindKeys<string>
  sensors: KindKeys<string>
  actions: KindKeys<string>
  protocols: KindKeys<number>
}

/** Of the indexes that are open. */
const known = new WeakMap<TimelineAbout, AllKeys>()

export function keysOf(about: TimelineAbout): AllKeys {
  let keys = known.get(about)
  if (keys === undefined) {
    const { kinds, sensors, actions } = about
    const protocols = [...new Set(kinds.map(([, , protocol]) => protocol))]
    keys = {
      all: { keys: [null], of: new Uint32Array(kinds.length) },
      sensors: { keys: sensors, of: Uint32Array.from(kinds, ([sensor]) => sensor) },
      actions: { keys: [null, 'ACCEPT', 'REJECT', ...actions], of: Uint32Array.from(kinds, ([, of]) => of) },
      protocols: {
        keys: protocols.map(protocol => (protocol === noProtocol ? null : protocol)),
        of: Uint32Array.from(kinds, ([, , protocol]) => protocols.indexOf(protocol)),
      },
    }
    known.set(about, keys)
  }
  return keys
}

/** Sums of kinds: records, and of those that are summed up bytes and packets, in one part or in several. */
export interface KindFigures {
  how: Uint8Array
  records: Uint32Array
  bytes: readonly Float64Array[]
  packets: readonly Float64Array[]
  /** The whole of some parts. */
  whole(parts: readonly number[]): number | bigint
  hasBytes: boolean
  hasPackets: boolean
}

/** The sums of each key that has records, or some for which others stand. */
export function sumsByKey<Key>(figures: KindFigures, { keys, of }: KindKeys<Key>): { key: Key | null; sum: KindSum }[] {
  const { records, bytes, packets } = figures
  const counts = new Float64Array(width * keys.length)
  const parts = bytes.length
  const sums = parts === 1 ? null : keys.map(() => ({ bytes: 0n, packets: 0n }))
  for (let kind = 0; kind < of.length; kind++) {
    const count = records[kind]!
    if (count === 0) continue
    const base = width * of[kind]!
    const does = figures.how[kind]!
    addCounts(counts, base, does, count, figures)
    if ((does & (how.aside | how.still)) !== 0) continue
    if (sums === null) {
      counts[base + at.bytes]! += bytes[0]![kind]!
      counts[base + at.packets]! += packets[0]![kind]!
    } else {
      const own = sums[of[kind]!]!
      own.bytes += BigInt(figures.whole(bytes.map(part => part[kind]!)))
      own.packets += BigInt(figures.whole(packets.map(part => part[kind]!)))
    }
  }
  return keys.flatMap((key, i) => {
    if (counts[width * i + at.records] === 0 && counts[width * i + at.collapsed] === 0) return []
    const one = counts.subarray(width * i, width * (i + 1))
    const { bytes: moved, packets: many } = sums?.[i] ?? { bytes: one[at.bytes]!, packets: one[at.packets]! }
    const isSaid = (said: number): boolean => one[at.moved] === 0 || one[said]! > 0
    const sum: KindSum = {
      ...{ records: one[at.records]!, rejected: one[at.rejected]! },
      bytes: figures.hasBytes && isSaid(at.bytesSaid) ? moved : null,
      packets: figures.hasPackets && isSaid(at.packetsSaid) ? many : null,
      ...{ collapsed: one[at.collapsed]!, unsummed: one[at.unsummed]! },
    }
    return [{ key, sum }]
  })
}

function addCounts(
  counts: Float64Array,
  base: number,
  does: number,
  count: number,
  { hasBytes, hasPackets }: KindFigures,
): void {
  if ((does & how.aside) !== 0) {
    counts[base + at.collapsed]! += count
    return
  }
  counts[base + at.records]! += count
  if ((does & how.rejected) !== 0) counts[base + at.rejected]! += count
  if ((does & how.still) !== 0) return
  const lacksBytes = (does & how.bytesUnknown) !== 0
  const lacksPackets = (does & how.packetsUnknown) !== 0
  counts[base + at.moved]! += count
  if (!lacksBytes) counts[base + at.bytesSaid]! += count
  if (!lacksPackets) counts[base + at.packetsSaid]! += count
  if ((lacksBytes && hasBytes) || (lacksPackets && hasPackets)) counts[base + at.unsummed]! += count
}
