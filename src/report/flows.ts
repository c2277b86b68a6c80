/** Flow records and groups of them as a table for a terminal. */

import type { Explained } from '../flows/explain.ts'
import type { Counting, FlowsRow } from '../flows/request.ts'
import type { Count } from '../investigate/dossier.ts'
import { type Block, type Column, code, gap, heading, note, paragraph, strong, table, title } from './block.ts'
import { type FlowsPage, type FlowTable, flowTable } from './flow-table.ts'
import { countText, integerText } from './numbers.ts'

export function flowsPage(r: FlowsPage): Block[] {
  const rows = flowTable(r)
  const nothing = r.records ? 'No record matches.' : 'Nothing to show: no record matches, or --having leaves no group.'
  const body = table(
    rows.columns,
    r.list.map(row => rows.row(row)),
  )
  const rest = r.list.length === 0 ? [nothing, ...(r.why ?? [])].map(paragraph) : [body]
  return [...flowsHead(r, rows), ...rest, gap, ...flowsFooter(r, listedRows(r.list))]
}

/** What stands before the rows. */
export function flowsHead(r: FlowsPage, { said }: FlowTable): Block[] {
  return [title(strong(r.sentence)), gap, ...(said === null || r.list.length === 0 ? [] : [paragraph(said)])]
}

/** What is meant, the SQL, and what of the case is read for it. */
export function explainedPage(e: Explained): Block[] {
  const skipped = e.segments.filter(segment => segment.read === 0)
  const [read, all] = ['read', 'row_groups'].map(key =>
    e.segments.reduce((sum, segment) => sum + segment[key as 'read' | 'row_groups'], 0),
  )
  const rows = e.segments.map(({ name, rows: count, row_groups, read: some }) => ({
    cells: [name, integerText(count), some === 0 ? 'skipped' : `${some} of ${countText(row_groups, 'row group')}`],
  }))
  const columns: Column[] = [{ title: 'segment' }, { title: 'rows', align: 'right' }, { title: 'read' }]
  const summary = `${countText(e.segments.length - skipped.length, 'segment')} of ${integerText(e.segments.length)} and ${integerText(read!)} of ${countText(all!, 'row group')} can hold a match; the smallest and largest values of the others exclude it.`
  return [
    title(strong(e.sentence)),
    ...e.notes.map(note),
    heading('SQL'),
    code(e.sql),
    heading('Segments'),
    paragraph(summary),
    ...(rows.length === 0 ? [] : [table(columns, rows)]),
  ]
}

/** How many rows of how many, and what was counted how. */
export function flowsFooter(r: FlowsPage, shown: number): Block[] {
  return [`${extentText(r, shown)}.`, ...countingText(r.counting, r.records)].map(paragraph).concat(r.notes.map(note))
}

/** `12,345 records`, or `First 10 of 12,345 records; -n 0 for all`. @param shown rows that are listed. */
export function extentText(r: Pick<FlowsPage, 'total_rows' | 'truncated' | 'records'>, shown: number): string {
  const all = countText(r.total_rows as Count, r.records ? 'record' : 'row')
  return r.truncated ? `First ${integerText(shown)} of ${all}; -n 0 for all` : all
}

/** The row for all groups that are not listed does not count as one of those that are. */
export function listedRows(rows: readonly FlowsRow[]): number {
  return rows.filter(row => row['part'] !== 'other').length
}

/** The counting in sentences. */
export function countingText(c: Counting, records: boolean): string[] {
  const rejected =
    c.rejected === null || c.rejected === 0 ? '' : `, ${integerText(c.rejected as number)} of them rejected`
  const sums = [
    c.packets === null ? '' : `${integerText(c.packets as number)} packets`,
    c.bytes === null ? '' : `${integerText(c.bytes as number)} B`,
  ].filter(text => text !== '')
  const least = Number(c.unsummed) > 0 ? 'at least ' : ''
  const total = `${countText(c.records as number, 'flow record')} of ${c.evidence}${rejected}${sums.length > 0 ? `: ${least}${sums.join(', ')}` : ''}.`
  return [
    ...(records ? [] : [total]),
    ...(Number(c.unsummed) > 0
      ? [
          `${integerText(c.unsummed as number)} of them ${Number(c.unsummed) === 1 ? 'does' : 'do'} not say how many packets or bytes: the sums are lower bounds.`,
        ]
      : []),
    ...(c.accepted_only ? ['Packets and bytes are those of accepted records; --raw adds what was rejected.'] : []),
    ...(Number(c.collapsed) > 0
      ? [
          `${countText(c.collapsed as number, 'matching record')} left out: another sensor or file has the same traffic; --raw counts them.`,
        ]
      : []),
    ...(Number(c.unknown) > 0
      ? [`For ${countText(c.unknown as number, 'more record')} it is unknown whether they match.`]
      : []),
  ]
}
