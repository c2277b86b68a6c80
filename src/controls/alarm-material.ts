/** What the alarms on some hosts are made of. */
import type { Asked } from '../detect/ask-kept.ts'
import { type Address, formatAddress, parseAddress } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import { internalPrefixes } from '../net/internal.ts'
import { type Prefix, prefixContains } from '../net/prefix.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { DraftMaterial } from './alarm-drafts.ts'
import type { AlarmRequest } from './alarm-request.ts'
import { recommendedFields } from './flow-log.ts'
import type { Habits, Marks } from './habits.ts'
import type { LogFormat, LogFormats } from './log-formats.ts'
import type { LogGroups } from './log-groups.ts'

/** @param interval of the logs, seconds. */
export function materialOf(
  { c, index, own }: Asked,
  request: AlarmRequest,
  { interval, marks, habits, format }: { interval: number; marks: Marks; habits: Habits; format: LogFormat },
): DraftMaterial {
  const { hosts } = index.dictionaries
  const addressOf = (host: number): Address => ({ hi: hosts.hi[host]!, lo: hosts.lo[host]! })
  const textOf = (host: number): string => formatAddress(hosts.hi[host]!, hosts.lo[host]!)
  const mine = marked(hosts, marks.isProtected).map(addressOf)
  const internal = [...internalPrefixes, ...own]
  const near = [...mine, ...habits.called.map(addressOf)]
  return {
    ...{ request, format, interval, hosts: mine, probePackets: habits.probePackets },
    hasAction: c.source === 'logs' && c.columns.has('action'),
    served: habits.served,
    administered: habits.administered,
    administrators: request.administrators ?? habits.administrators.map(({ host }) => textOf(host)),
    inside: internal.filter(prefix => near.some(address => prefixContains(prefix, address))),
    isInternal: text => holdsText(internal, text),
  }
}

function holdsText(prefixes: readonly Prefix[], text: string): boolean {
  const address = parseAddress(text)
  return address !== null && prefixes.some(prefix => prefixContains(prefix, address))
}

function marked({ count }: RecordDictionaries['hosts'], marks: Uint8Array): number[] {
  const found: number[] = []
  for (let host = 0; host < count; host++) if (marks[host] === 1) found.push(host)
  return found
}

/** The format of most records of some flow logs; without one that which is recommended. */
export function formatOf({ formats: [format] }: LogFormats): LogFormat {
  return format ?? { fields: recommendedFields, records: 0, files: 0, from: 'recommended' }
}

/** What is to be said of the format that the patterns are for. */
export function formatNotes(
  { formats: [format, ...others], untold }: LogFormats,
  { logs, doubled }: LogGroups,
): string[] {
  if (format === undefined) return ['The evidence has no VPC flow log: the pattern is for the format recommended here.']
  const elsewhere = others.reduce((sum, { records }) => sum + records, 0)
  const more = others.length === 1 ? 'another format' : `${others.length} other formats`
  return [
    'Events have no header: the pattern goes by the order of the fields. Compare it with LogFormat of aws ec2 describe-flow-logs.',
    ...(format.from === 'parquet' ? ['The order is that of the columns of Parquet files.'] : []),
    ...(others.length > 0
      ? [
          `${countText(elsewhere, 'record')} were written in ${more}: the pattern does not fit these, and a log group with them needs a filter of its own.`,
        ]
      : []),
    ...(untold > 0
      ? [`${countText(untold, 'record')} are of files with several formats, of which only the first is considered.`]
      : []),
    ...(logs.length > 1
      ? [
          `${logs.length} flow logs recorded the hosts: each log group needs the filter; it is tried on all of them together.`,
        ]
      : []),
    ...(doubled.length > 0
      ? [
          `${doubled.map(log => log ?? 'files without the id of a flow log').join(', ')}: recorded the same interfaces too, and the trial leaves it out.`,
        ]
      : []),
  ]
}
