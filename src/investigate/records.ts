/** What the subject's records come to (docs/reference/dossier.md, sections 1 and 2). */
import { fate } from '../conversations/fates.ts'
import { counterOf, isRejected } from '../conversations/signs.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import { utcSeconds } from '../net/time.ts'
import { known, type RecordBlock } from '../record-index/block.ts'
import type { Count, Dossier, PortRow } from './dossier.ts'

/** A sum that is exact: a bigint where a number would not be. */
export function plus(sum: Count, value: Count): Count {
  if (typeof sum === 'number' && typeof value === 'number' && sum + value <= Number.MAX_SAFE_INTEGER) return sum + value
  const exact = BigInt(sum) + BigInt(value)
  return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact
}

export interface Window {
  from_us: number
  last_start_us: number
  to_us: number
}

/** From the first start to the last end; null without records. */
export function windowOf({ rows, start_us, end_us }: RecordBlock): Window | null {
  if (rows === 0) return null
  let to_us = end_us[0]!
  for (let row = 1; row < rows; row++) if (end_us[row]! > to_us) to_us = end_us[row]!
  return { from_us: start_us[0]!, last_start_us: start_us[rows - 1]!, to_us }
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
  const sums = {
    bytes: { from_subject: 0 as Count, to_subject: 0 as Count, at_least: atLeast },
    packets: { from_subject: 0 as Count, to_subject: 0 as Count, at_least: atLeast },
  }
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] !== fate.counted || isRejected(block, row)) continue
    const [from, to] = [isSubject(block.source[row]!), isSubject(block.destination[row]!)]
    for (const name of ['bytes', 'packets'] as const) {
      if ((block.known[row]! & known[name]) === 0) continue
      const value = counterOf(block, row, name)
      if (from) sums[name].from_subject = plus(sums[name].from_subject, value)
      if (to) sums[name].to_subject = plus(sums[name].to_subject, value)
    }
  }
  return sums
}

/** Records by port and protocol, as they stand: nothing is counted once here. */
export function portsOf(block: RecordBlock): PortRow[] {
  const rows = new Map<number, PortRow>()
  for (let row = 0; row < block.rows; row++) {
    const has = block.known[row]!
    if ((has & known.protocol) === 0) continue
    const protocol = block.protocol[row]!
    if ((has & known.sourcePort) !== 0) addTo(portRow(rows, block.sourcePort[row]!, protocol).as_source, block, row)
    if ((has & known.destinationPort) !== 0)
      addTo(portRow(rows, block.destinationPort[row]!, protocol).as_destination, block, row)
  }
  return [...rows.values()].sort((a, b) => a.protocol - b.protocol || a.port - b.port)
}

function portRow(rows: Map<number, PortRow>, port: number, protocol: number): PortRow {
  const key = protocol * 65536 + port
  const found = rows.get(key)
  if (found !== undefined) return found
  const zero = (): PortRow['as_source'] => ({ records: 0, rejected: 0, packets: 0, bytes: 0 })
  const row = { port, protocol, as_source: zero(), as_destination: zero() }
  rows.set(key, row)
  return row
}

function addTo(counts: PortRow['as_source'], block: RecordBlock, row: number): void {
  counts.records++
  if (isRejected(block, row)) counts.rejected++
  if ((block.known[row]! & known.packets) !== 0) counts.packets = plus(counts.packets, counterOf(block, row, 'packets'))
  if ((block.known[row]! & known.bytes) !== 0) counts.bytes = plus(counts.bytes, counterOf(block, row, 'bytes'))
}
