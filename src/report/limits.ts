import type { Dossier, WorkItem } from '../investigate/dossier.ts'
import { apart, type Block, code, count, gap, heading, inset, line, list, paragraph, strong } from './block.ts'
import { uncountedText } from './names.ts'
import { countText, integerText } from './numbers.ts'
import { problemBlocks } from './problems.ts'

const filesAtMost = 20

/** What the page was computed from, and which evidence is in no figure of it. */
export function evidenceBlocks(d: Dossier): Block[] {
  const {
    files,
    partly_read,
    unreadable,
    malformed,
    no_data,
    skip_data,
    captures,
    packets,
    nfcapd_files,
    flow_tables,
  } = d.evidence
  const uncounted = uncountedText(d)
  const read = [
    countText(files, 'file'),
    `${integerText(partly_read)} partly read`,
    `${integerText(unreadable)} unreadable`,
    `${countText(d.records.total, 'flow record')}`,
    ...(d.source === 'logs'
      ? [`${integerText(no_data)} NODATA`, `${integerText(skip_data)} SKIPDATA`, countText(malformed, 'malformed line')]
      : []),
    ...(captures > 0 ? [`${countText(captures, 'capture')} with ${countText(packets, 'packet')}`] : []),
    ...(nfcapd_files > 0 ? [countText(nfcapd_files, 'nfcapd file')] : []),
    ...(flow_tables > 0 ? [countText(flow_tables, 'table of flows', 'tables of flows')] : []),
  ]
  return [
    heading('Evidence'),
    paragraph(`${read.join(', ')}.`),
    ...(uncounted === null ? [] : [paragraph(uncounted)]),
    ...(d.problems.length > 0 ? [gap, paragraph('In no figure of this page:')] : []),
    ...problemBlocks(d.problems, filesAtMost),
  ]
}

/** What flow logs never show, and what these flow logs lack. */
export function limitsBlocks(d: Dossier): Block[] {
  return [
    ...limitList('What flow logs do not show', d.not_logged),
    ...limitList(
      d.source === 'logs' ? "What this log's fields cannot tell" : 'What these packets cannot tell',
      d.cannot_tell,
    ),
  ]
}

function limitList(title: string, items: readonly string[]): Block[] {
  return items.length === 0 ? [] : [heading(title), list(items)]
}

/** Each figure with the ways to get it again. SQL and shell lines are as long as they are, for copying. */
export function workBlocks(work: readonly WorkItem[]): Block[] {
  if (work.length === 0) return []
  const items = work.map(({ figure, value, sql, shell }) => {
    const lines = [sql.trim(), ...(shell === null ? [] : ['# or over the raw files:', shell.trim()])]
    return [paragraph(line`${strong(figure)} = ${valueText(value)}`), inset(1, [code(lines.join('\n'))])]
  })
  return [heading('How to check the figures'), ...apart(items)]
}

function valueText(value: WorkItem['value']): ReturnType<typeof count> | string {
  if (value === null) return 'unknown'
  return typeof value === 'string' ? value : count(integerText(value))
}
