/** What the subject's records come to (docs/reference/dossier.md, sections 1 and 2). */
import { fate } from '../conversations/fates.ts'
import { counterOf, isRejected } from '../conversations/signs.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import { Sums } from '../conversations/sums.ts'
import { utcSeconds } from '../net/time.ts'
import { known, large, type RecordBlock } from '../record-index/block.ts'
import type { Count, Dossier, PortRow } from './dossier.ts'

export interface Window {
  from_us: number
  last_start_us: number
  to_us: number
}

/** From the first start to the last end; null without records that have a time. */
export function windowOf(block: RecordBlock): Window | null {
  const { rows, start_us, end_us } = block
  let window: Window | null = null
  for (let row = 0; row < rows; row++) {
    if (!hasTime(block, row)) continue
    // Records come in the order of their start.
    window ??= { from_us: start_us[row]!, last_start_us: start_us[row]!, to_us: end_us[row]! }
    if (start_us[row]! > window.last_start_us) window.last_start_us = start_us[row]!
    if (end_us[row]! > window.to_us) window.to_us = end_us[row]!
  }
  return window
}

/** Whether a record says when it was. */
export function hasTime(block: RecordBlock, row: number): boolean {
  return (block.known[row]! & (known.start | known.end)) !== 0
}

export function shownWindow(window: Window | null): Dossier['window'] {
  return {
    first_start: window && utcSeconds(window.from_us),
    last_start: window && utcSeconds(window.last_start_us),
    last_end: window && utcSeconds(window.to_us),
    seconds: window && (window.to_us - window.from_us) / 1e6,
  }
}

export function rejectedRecords(block: RecordBlock): number {
  let rejected = 0
  for (let row = 0; row < block.rows; row++) if (isRejected(block, row)) rejected++
  return rejected
}

/** Accepted bytes and packets of the records that count, either way. */
export function volumesOf(
  { block, fates, isSubject }: SubjectRecords,
  atLeast: boolean,
): Pick<Dossier, 'bytes' | 'packets'> {
  const [bytes, packets] = [new Volume(), new Volume()]
  const hosts = [block.source, block.destination] as const
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] !== fate.counted || isRejected(block, row)) continue
    const [sent, received] = [isSubject(hosts[0][row]!), isSubject(hosts[1][row]!)]
    if (!sent && !received) continue
    bytes.add(sent, received, (block.known[row]! & known.bytes) === 0 ? null : counterOf(block, row, 'bytes'))
    packets.add(sent, received, (block.known[row]! & known.packets) === 0 ? null : counterOf(block, row, 'packets'))
  }
  return { bytes: bytes.shown(atLeast), packets: packets.shown(atLeast) }
}

/** What the subject sent and received. */
class Volume {
  private readonly sums = new Sums(2)
  private readonly said: [number, number] = [0, 0]
  private readonly unsaid: [number, number] = [0, 0]
  private unsummed = 0

  /** @param value null where the record does not say it. */
  add(sent: boolean, received: boolean, value: Count | null): void {
    if (value === null) this.unsummed++
    if (sent) this.addTo(0, value)
    if (received) this.addTo(1, value)
  }

  private addTo(side: 0 | 1, value: Count | null): void {
    if (value === null) this.unsaid[side]++
    else {
      this.said[side]++
      this.sums.add(side, value)
    }
  }

  shown(atLeast: boolean): Dossier['bytes'] {
    const { unsummed } = this
    return { from_subject: this.of(0), to_subject: this.of(1), at_least: atLeast || unsummed > 0, unsummed }
  }

  private of(side: 0 | 1): Count | null {
    return this.said[side] === 0 && this.unsaid[side] > 0 ? null : this.sums.of(side)
  }
}

/** Records by port and protocol, as they stand: nothing is counted once here. */
export function portsOf(block: RecordBlock): PortRow[] {
  const ports = new PortPlaces()
  const atSource = ports.placesOf(block, block.sourcePort, known.protocol | known.sourcePort)
  const atDestination = ports.placesOf(block, block.destinationPort, known.protocol | known.destinationPort)
  const source = countsBy(block, atSource, ports.count)
  const destination = countsBy(block, atDestination, ports.count)
  const rows: PortRow[] = []
  ports.each((port, protocol, place) => {
    rows.push({ port, protocol, as_source: source[place]!, as_destination: destination[place]! })
  })
  return rows
}

/** Places of ports, in the order in which they came. */
class PortPlaces {
  count = 0
  /** By protocol the place of each port, counted from one; zero where it has none. */
  private readonly tables: (Uint32Array | undefined)[] = []

  /** The place of each record's port, counted from one; zero for a record without one. */
  placesOf(block: RecordBlock, ports: Uint16Array, isKnown: number): Uint32Array {
    const { rows, known: has, protocol } = block
    const places = new Uint32Array(rows)
    const { tables } = this
    for (let row = 0; row < rows; row++) {
      if ((has[row]! & isKnown) !== isKnown) continue
      const table = (tables[protocol[row]!] ??= new Uint32Array(0x10000))
      const port = ports[row]!
      if (table[port] === 0) table[port] = ++this.count
      places[row] = table[port]!
    }
    return places
  }

  /** By protocol and port, with the place counted from zero. */
  each(take: (port: number, protocol: number, place: number) => void): void {
    for (const [protocol, table] of this.tables.entries()) {
      if (table === undefined) continue
      for (let port = 0; port < 0x10000; port++) if (table[port] !== 0) take(port, protocol, table[port]! - 1)
    }
  }
}

/** Of a port that is on the other side only. One for all: most ports of clients are. */
const nothing: PortRow['as_source'] = Object.freeze({ records: 0, rejected: 0, packets: 0, bytes: 0 })

/** What records come to by their places, counted from one; zero for those that are in none. */
function countsBy(block: RecordBlock, placeOf: Uint32Array, places: number): PortRow['as_source'][] {
  const { known: has } = block
  const records = new Uint32Array(places)
  const rejected = new Uint32Array(places)
  const packets = new Sums(places)
  const bytes = new Sums(places)
  const [withoutPackets, withoutBytes] = [new Uint32Array(places), new Uint32Array(places)]
  for (let row = 0; row < block.rows; row++) {
    const place = placeOf[row]! - 1
    if (place < 0) continue
    records[place]!++
    if (isRejected(block, row)) rejected[place]!++
    if ((has[row]! & known.packets) === 0) withoutPackets[place]!++
    else packets.add(place, block.packets[row] === large ? counterOf(block, row, 'packets') : block.packets[row]!)
    if ((has[row]! & known.bytes) === 0) withoutBytes[place]!++
    else bytes.add(place, block.bytes[row] === large ? counterOf(block, row, 'bytes') : block.bytes[row]!)
  }
  const found = new Array<PortRow['as_source']>(places)
  for (let place = 0; place < places; place++) {
    found[place] =
      records[place] === 0
        ? nothing
        : {
            records: records[place]!,
            rejected: rejected[place]!,
            packets: unlessUnsaid(packets.of(place), withoutPackets[place]!, records[place]!),
            bytes: unlessUnsaid(bytes.of(place), withoutBytes[place]!, records[place]!),
            ...(withoutPackets[place]! + withoutBytes[place]! > 0 && { at_least: true as const }),
          }
  }
  return found
}

function unlessUnsaid(sum: Count, unsaid: number, records: number): Count | null {
  return unsaid > 0 && unsaid === records ? null : sum
}
