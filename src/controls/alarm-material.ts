/** What the alarms on some hosts are made of. */
import { formatAddress } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import { internalPrefixes } from '../net/internal.ts'
import { prefixContains } from '../net/prefix.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import type { DraftMaterial } from './alarm-drafts.ts'
import type { AlarmRequest } from './alarm-request.ts'
import { recommendedFields } from './flow-log.ts'
import type { Habits } from './habits.ts'
import type { LogFormat, LogFormats } from './log-formats.ts'
import type { LogGroups } from './log-groups.ts'
import { type ProtectedTraffic, textOf } from './protected.ts'

/** @param interval of the logs, seconds. */
export function materialOf(
  c: Case,
  index: RecordIndex,
  request: AlarmRequest,
  { interval, habits, format }: { interval: number; habits: Habits; format: LogFormat },
): DraftMaterial {
  const { traffic, own } = request
  const mine = protectedHosts(index, traffic).map(traffic.address)
  const near = [...mine, ...habits.called.map(traffic.address)]
  return {
    ...{ request, format, interval, probePackets: habits.probePackets },
    hosts: mine.map(({ hi, lo }) => formatAddress(hi, lo)),
    hasAction: c.source === 'logs' && c.columns.has('action'),
    isBefore: habits.isBefore,
    served: habits.served,
    administered: habits.administered,
    administrators: habits.administrators.map(host => textOf(traffic, host)),
    inside: [...internalPrefixes, ...own].filter(prefix => near.some(address => prefixContains(prefix, address))),
  }
}

/** Numbers of the protected hosts. */
export function protectedHosts(
  { dictionaries: { hosts } }: RecordIndex,
  { isProtected }: Pick<ProtectedTraffic, 'isProtected'>,
): number[] {
  const found: number[] = []
  for (let host = 0; host < hosts.count; host++) if (isProtected(host)) found.push(host)
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
          `${countText(elsewhere, 'record')} ${elsewhere === 1 ? 'was' : 'were'} written in ${more}: the pattern does not fit these, the trial leaves them out, and a log group with them needs a filter of its own.`,
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
