/** Items of one kind as CSV: safe for spreadsheets, and every text can be had back (`docs/reference/exports.md`). */
import type { FlowsColumn } from '../flows/request.ts'
import { utcSeconds } from '../net/time.ts'
import { type CsvStyle, csvWriter } from '../report/csv.ts'
import type { ExportedConnection, ExportedFinding, Printer } from './items.ts'
import { jsonText } from './json-text.ts'

type Cell = string | number | null

interface CsvColumnOf<Item> {
  name: string
  type: 'text' | 'integer' | 'time'
  of(item: Item): Cell
}

const column = <Item>(name: string, type: CsvColumnOf<Item>['type'], of: (item: Item) => Cell): CsvColumnOf<Item> => {
  return { name, type, of }
}
const whole = (name: keyof ExportedConnection): CsvColumnOf<ExportedConnection> =>
  column(name, 'integer', one => one[name] as number | null)
const yes = (name: keyof ExportedConnection): CsvColumnOf<ExportedConnection> =>
  column(name, 'text', one => String(one[name]))

const ofConnections: readonly CsvColumnOf<ExportedConnection>[] = [
  column('client', 'text', one => one.client),
  whole('client_port'),
  column('server', 'text', one => one.server),
  whole('port'),
  whole('protocol'),
  column('start', 'time', one => utcSeconds(one.start_us)),
  column('end', 'time', one => utcSeconds(one.end_us)),
  ...(['packets_to_server', 'packets_to_client', 'bytes_to_server', 'bytes_to_client'] as const).map(whole),
  yes('at_least'),
  whole('records'),
  whole('rejected'),
  column('outcome', 'text', one => one.outcome),
  yes('role_known'),
  column('role_confidence', 'integer', one => one.role_confidence),
  yes('client_internal'),
  yes('server_internal'),
]

const text = (name: 'id' | 'rule' | 'title' | 'severity' | 'confidence' | 'tactic' | 'technique' | 'technique_name') =>
  column<ExportedFinding>(name, 'text', one => one[name])
const number = (name: 'port' | 'protocol' | 'connections' | 'basis_total' | 'subject_total' | 'peers_total') =>
  column<ExportedFinding>(name, 'integer', one => one[name])
const hosts = (name: 'subject' | 'peers') =>
  column<ExportedFinding>(name, 'text', one => one[name].map(({ address }) => address).join(' '))

const ofFindings: readonly CsvColumnOf<ExportedFinding>[] = [
  ...(['id', 'rule', 'title', 'severity', 'confidence', 'tactic', 'technique', 'technique_name'] as const).map(text),
  column('first_start', 'time', one => one.first_start),
  column('last_end', 'time', one => one.last_end),
  ...[hosts('subject'), number('subject_total'), hosts('peers'), number('peers_total')],
  ...(['port', 'protocol', 'connections', 'basis_total'] as const).map(number),
  column('summary', 'text', one => one.summary),
  column('would_change', 'text', one => one.would_change),
  column('counter_hypotheses', 'text', one => jsonText(one.counter_hypotheses)),
  column('scores', 'text', one => jsonText(one.scores)),
  column('basis', 'text', one => jsonText(one.basis)),
  column('sql', 'text', one => one.sql),
  column('verdict', 'text', one => one.verdict),
  column('comments', 'text', one => jsonText(one.comments)),
]

/** @param columns of records. @param style how texts are written. */
export function csvPrinter(
  what: 'records' | 'connections' | 'findings',
  columns: readonly FlowsColumn[],
  style: CsvStyle,
): Printer {
  if (what === 'records') {
    const { head, line } = csvWriter(columns, style)
    return { begin: () => head, record: row => line(columns.map(({ name }) => row[name])) }
  }
  if (what === 'connections') {
    const { head, line } = csvWriter(ofConnections, style)
    return { begin: () => head, connection: one => line(ofConnections.map(({ of }) => of(one))) }
  }
  const { head, line } = csvWriter(ofFindings, style)
  return { begin: () => head, finding: one => line(ofFindings.map(({ of }) => of(one))) }
}
