import type { Count, Dossier, PortCounts } from '../investigate/dossier.ts'
import { protocolText } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import {
  type Block,
  bytes,
  type Column,
  count,
  fact,
  facts,
  heading,
  line,
  paragraph,
  type Text,
  table,
  time,
} from './block.ts'
import { isOfPart } from './headline.ts'
import { atLeast, countText, integerText, knownBytesText, knownText, percentText, timeText } from './numbers.ts'

/** Since when, until when, and how exact that is. */
export function windowBlocks(d: Dossier): Block[] {
  const { first_start, last_start, last_end, seconds } = d.window
  const length = seconds === null ? 'unknown' : `${durationWords(seconds)} (${secondsText(seconds)})`
  return [
    heading('Window'),
    facts([
      fact('first start', time(timeText(first_start))),
      fact('last start', time(timeText(last_start))),
      fact('last end', time(timeText(last_end))),
      fact('length', length),
    ]),
    paragraph(exactness(d)),
  ]
}

/** Whole seconds in groups of three; what a capture has beyond them, to the millisecond. */
function secondsText(seconds: number): string {
  const whole = Math.floor(seconds)
  const rest = seconds - whole
  return `${integerText(whole)}${rest === 0 ? '' : rest.toFixed(3).slice(1)} s`
}

function exactness(d: Dossier): string {
  if (d.source === 'packets') {
    return d.evidence.nfcapd_files === 0
      ? 'Times are those of the packets, by the clock of the capturing host.'
      : 'Times are those of the packets, by the clocks of the hosts that captured or metered them; nfcapd keeps milliseconds.'
  }
  const { start_seconds, end_seconds, interval_seconds, lateness_seconds } = d.window_error
  const start = durationWords(start_seconds)
  const ends =
    start_seconds === end_seconds
      ? `The true start and end may lie up to ${start} earlier:`
      : `The true start may lie up to ${start} earlier, the true end up to ${durationWords(end_seconds)}:`
  return `${ends} one record covers up to ${durationWords(interval_seconds)}, and its times may be written up to ${durationWords(lateness_seconds)} late.`
}

/** By how much the times may be wrong. */
export function timesDoubt(d: Dossier): string {
  const [first = ''] = exactness(d).split(':')
  return `${first.replace(/\.$/, '')}.`
}

/** The subject's totals, traffic counted once. */
export function totalsBlocks(d: Dossier): Block[] {
  const { total, subject, accepted, rejected } = d.records
  const volume = (sum: Count | null, packets: Count | null): Text =>
    line`${bytes(atLeast(knownBytesText(sum), d.bytes.at_least && sum !== null))} in ${count(packets === null ? 'unknown packets' : atLeast(countText(packets, 'packet'), d.packets.at_least && (!d.bytes.at_least || sum === null)))}`
  const share = isOfPart(d)
    ? integerText(subject)
    : `${integerText(subject)} of ${integerText(total)} (${percentText(subject, total)})`
  return [
    heading('Totals'),
    facts([
      d.source === 'logs'
        ? fact('records', `${share}: ${integerText(accepted)} accepted, ${integerText(rejected)} rejected`)
        : fact('flow records', `${share}, one for each direction of a conversation`),
      fact('sent', volume(d.bytes.from_subject, d.packets.from_subject)),
      fact('received', volume(d.bytes.to_subject, d.packets.to_subject)),
    ]),
  ]
}

/** `≥` marks a lower bound. */
function portBytes({ bytes, at_least }: PortCounts): string {
  return `${at_least && bytes !== null ? '≥ ' : ''}${knownText(bytes)}`
}

/** The raw sums by port column, for those who check with zcat and awk: the ports of the services alone. */
export function portsBlocks(d: Dossier): Block[] {
  const numberOf = (one: { port: number | null; protocol: number | null }): number =>
    (one.port ?? -1) * 512 + (one.protocol ?? 256)
  const known = new Set(d.services.map(numberOf))
  const rows = d.ports.filter(row => known.has(numberOf(row)))
  if (rows.length === 0) return []
  const weight = (row: (typeof rows)[number]) =>
    Number(row.as_source.bytes ?? 0) + Number(row.as_destination.bytes ?? 0)
  const shown = [...rows].sort((a, b) => weight(b) - weight(a)).slice(0, 12)
  const left = d.ports.length - shown.length
  const columns = ['port', 'src records', 'src bytes', 'dst records', 'dst bytes'].map(
    (title, i): Column => ({ title, align: i === 0 ? 'left' : 'right' }),
  )
  const cells = shown.map(({ port, protocol, as_source, as_destination }) => ({
    cells: [
      `${port} ${protocolText(protocol)}`,
      count(integerText(as_source.records)),
      bytes(portBytes(as_source)),
      count(integerText(as_destination.records)),
      bytes(portBytes(as_destination)),
    ],
  }))
  return [
    heading('Ports as recorded'),
    paragraph(
      d.source === 'logs'
        ? 'Raw sums by port column, as zcat and awk give them: every record, nothing collapsed, rejected ones too.'
        : 'Raw sums by port column, as nfdump gives them: every record, nothing collapsed.',
    ),
    table(columns, cells),
    ...(left > 0 ? [paragraph(`… and ${countText(left, 'other port')}: --json lists all.`)] : []),
  ]
}
