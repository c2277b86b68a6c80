/** That nothing of the evidence is lost: what each file holds is one of the things that it can be. */
import type { EvidenceFile } from './reports.ts'

/** `lines 120 = headers 1 + records 119`. */
export interface Law {
  name: 'lines' | 'packets' | 'nfcapd records' | 'lines of tables'
  whole: number
  parts: { name: string; count: number }[]
  /** What is in none of the parts; 0 where it adds up. */
  missing: number
}

export function isRead(file: Pick<EvidenceFile, 'status'>): boolean {
  return file.status === 'read' || file.status === 'partly-read'
}

/** The laws of those files that were read, all of a kind in one. */
export function lawsOf(files: readonly EvidenceFile[]): Law[] {
  const read = files.filter(isRead)
  return [...lines(read), ...packets(read), ...nfcapdRecords(read), ...tables(read)]
}

/** Every line of a flow log is one of five things. */
function lines(read: readonly EvidenceFile[]): Law[] {
  const logs = read.filter(file => file.kind?.includes('flow-log'))
  if (logs.length === 0) return []
  return [
    law('lines', sum(logs, 'lines'), [
      ['headers', sum(logs, 'header_lines')],
      ['records', sum(logs, 'records')],
      ['NODATA', sum(logs, 'no_data')],
      ['SKIPDATA', sum(logs, 'skip_data')],
      ['malformed', sum(logs, 'malformed')],
    ]),
  ]
}

function packets(read: readonly EvidenceFile[]): Law[] {
  const captures = read.flatMap(file => file.capture ?? [])
  if (captures.length === 0) return []
  const reasons = summed(captures.flatMap(({ undecoded }) => undecoded.map(one => [one.name, one.packets])))
  return [law('packets', sum(captures, 'packets'), [['decoded', sum(captures, 'decoded')], ...reasons])]
}

function nfcapdRecords(read: readonly EvidenceFile[]): Law[] {
  const files = read.flatMap(file => file.nfcapd ?? [])
  if (files.length === 0) return []
  const skipped = summed(files.flatMap(file => file.skipped.map(one => [one.name, one.records])))
  return [law('nfcapd records', sum(files, 'records'), [['flow records', sum(files, 'flow_records')], ...skipped])]
}

function tables(read: readonly EvidenceFile[]): Law[] {
  const files = read.filter(file => file.flow_table !== null)
  if (files.length === 0) return []
  const rows = files.reduce((total, file) => total + file.flow_table!.rows, 0)
  return [
    law('lines of tables', sum(files, 'lines'), [
      ['headers', sum(files, 'header_lines')],
      ['rows', rows],
      ['malformed', sum(files, 'malformed')],
    ]),
  ]
}

function law(name: Law['name'], whole: number, parts: [name: string, count: number][]): Law {
  const missing = whole - parts.reduce((total, [, count]) => total + count, 0)
  return { name, whole, parts: parts.map(([part, count]) => ({ name: part, count })), missing }
}

function sum<Name extends string>(files: readonly Readonly<Record<Name, number>>[], name: Name): number {
  return files.reduce((total, file) => total + file[name], 0)
}

/** By name, the most first. */
function summed(counts: [name: string, count: number][]): [string, number][] {
  const sums = new Map<string, number>()
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count)
  return [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}
