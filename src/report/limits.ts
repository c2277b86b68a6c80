import type { Dossier, WorkItem } from '../investigate/dossier.ts'
import { bullets, heading, type Page, paragraph, strong } from './layout.ts'
import { countText, integerText } from './numbers.ts'
import { problemLines } from './problems.ts'
import { visible } from './text.ts'

const filesAtMost = 20

/** What the page was computed from, and which evidence is in no figure of it. */
export function renderEvidenceLine(d: Dossier, page: Page): string[] {
  const { files, partly_read, unreadable, malformed, no_data, skip_data, captures, packets, nfcapd_files } = d.evidence
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
  ]
  return [
    ...heading(page, 'Evidence'),
    ...paragraph(page, `${read.join(', ')}.`),
    ...(d.source === 'logs' && nfcapd_files > 0
      ? paragraph(page, 'Flow records of nfcapd files are in no figure of this page: they may count the same traffic.')
      : []),
    ...(d.problems.length > 0 ? ['', ...paragraph(page, 'In no figure of this page:')] : []),
    ...problemLines(page, d.problems, filesAtMost),
  ]
}

/** What flow logs never show, and what these flow logs lack. */
export function renderLimits(d: Dossier, page: Page): string[] {
  return [
    ...limitList(page, 'What flow logs do not show', d.not_logged),
    ...limitList(
      page,
      d.source === 'logs' ? "What this log's fields cannot tell" : 'What these packets cannot tell',
      d.cannot_tell,
    ),
  ]
}

function limitList(page: Page, title: string, items: string[]): string[] {
  return items.length === 0 ? [] : [...heading(page, title), ...bullets(page, items)]
}

/**
 * Each figure with the ways to get it again. SQL and shell lines are as long as they are, for copying; they are
 * given the dossier as it came, because their line breaks are ours and are kept.
 */
export function renderWork(work: WorkItem[], page: Page): string[] {
  if (work.length === 0) return []
  const code = (text: string) =>
    text
      .trim()
      .split('\n')
      .map(line => `    ${visible(line)}`.trimEnd())
  return [
    ...heading(page, 'How to check the figures'),
    ...work.flatMap((item, i) => [
      ...(i > 0 ? [''] : []),
      ...paragraph(page, `${strong(page, visible(item.figure))} = ${valueText(item.value)}`),
      ...code(item.sql),
      ...(item.shell === null ? [] : ['    # or over the raw files:', ...code(item.shell)]),
    ]),
  ]
}

function valueText(value: WorkItem['value']): string {
  if (value === null) return 'unknown'
  return typeof value === 'string' ? visible(value) : integerText(value)
}
