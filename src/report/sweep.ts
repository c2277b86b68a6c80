/** A sweep for indicators as a page. */

import type { Count } from '../investigate/dossier.ts'
import type { Sweep, SweepRow } from '../investigate/sweep.ts'
import { severities } from '../rules/finding.ts'
import {
  type Block,
  bytes,
  type Column,
  count,
  gap,
  heading,
  line,
  list,
  paragraph,
  strong,
  type Text,
  table,
  time,
  title,
  warning,
} from './block.ts'
import { countText, integerText, sizeText, spanText } from './numbers.ts'
import { gapItemsOf } from './surface.ts'

/** Of the lists of indicators: lines that name something, and those that could not be read. */
export interface Lists {
  lines: number
  problems: { count: number; first: readonly { path: string; line: number; text: string }[] }
}

const unreadAtMost = 5
const seenAtMost = 500
const unseenAtMost = 50
const gapsAtMost = 4

const columns: Column[] = [
  { title: 'indicator' },
  { title: 'records', align: 'right' },
  { title: 'rejected', align: 'right' },
  { title: 'sent', align: 'right' },
  { title: 'received', align: 'right' },
  { title: 'first – last', hangs: true },
  { title: 'best finding', hangs: true },
]

/**
 * One row for each indicator that was seen, the worst first; then those that were not.
 *
 * @param commandOf the command that prints an indicator's dossier.
 * @param all whether every indicator has its row, however many there are.
 */
export function sweepPage(found: Sweep, lists: Lists, commandOf: (indicator: string) => string, all: boolean): Block[] {
  const seen = found.sweep.filter(row => row.seen).sort(byWeight)
  const unseen = found.sweep.filter(row => !row.seen)
  const shown = all ? seen : seen.slice(0, seenAtMost)
  const left = seen.length - shown.length
  const verdict = `${integerText(seen.length)} of ${countText(found.indicators.total, 'indicator')} seen in ${countText(found.records.total, 'flow record')}.`
  return [
    title(strong('Sweep for indicators')),
    gap,
    paragraph(strong(verdict)),
    ...unreadLines(lists),
    ...coverage(found),
    heading(`Seen (${integerText(seen.length)})`),
    ...(seen.length === 0
      ? [paragraph('None in what was read.')]
      : [
          table(
            columns,
            shown.map(row => rowOf(row, commandOf)),
          ),
        ]),
    ...(left > 0 ? [paragraph(`… and ${countText(left, 'more indicator')}: --all lists them.`)] : []),
    ...unjudged(found),
    heading(`Not seen in what was read (${integerText(unseen.length)})`),
    ...unseenBlocks(unseen, all),
  ]
}

/** What was never looked for. */
function unreadLines({ lines, problems: { count, first } }: Lists): Block[] {
  if (count === 0) return []
  const isOfOne = first.every(({ path }) => path === first[0]!.path)
  const named = first
    .slice(0, unreadAtMost)
    .map(({ path, line, text }) => `${text} (${isOfOne ? `line ${integerText(line)}` : `${path}:${line}`})`)
  const left = count - named.length
  const more = left > 0 ? `, … and ${integerText(left)} more` : ''
  const are = count === 1 ? 'is no address' : 'are no addresses'
  return [
    warning(
      `${integerText(count)} of ${countText(lines, 'line')} of the list ${are}, and ${count === 1 ? 'was' : 'were'} not looked for: ${named.join('; ')}${more}.`,
    ),
  ]
}

function coverage({ complete, gaps, gaps_not_listed, selection, problems }: Sweep): Block[] {
  const items: Text[] = [
    ...selectionText(selection),
    ...selection.notes,
    ...gapItemsOf(gaps, gaps_not_listed, gapsAtMost),
    ...(problems.length > 0
      ? [`${countText(problems.length, 'place of the evidence', 'places of the evidence')} could not be read.`]
      : []),
    complete
      ? 'No gap is known of in what was read; an address that was translated (NAT, load balancer, proxy) is not in it.'
      : 'What is not seen may be in what is missing.',
  ]
  return [gap, ...(complete ? [] : [warning('This answer has holes.')]), list(items)]
}

/** The limits of what was asked, if there are any. */
export function selectionText({ from, to, sensors }: Sweep['selection']): string[] {
  const parts = [
    ...(from === null && to === null
      ? []
      : [
          `records from ${from === null ? 'the beginning' : spanText(from, from)} to ${to === null ? 'the end' : spanText(to, to)}`,
        ]),
    ...(sensors.length === 0 ? [] : [`sensor ${sensors.join(', ')}`]),
  ]
  return parts.length === 0 ? [] : [`Only ${parts.join('; ')}.`]
}

function byWeight(a: SweepRow, b: SweepRow): number {
  const severity = ({ best_finding }: SweepRow): number =>
    best_finding === null ? -1 : severities.indexOf(best_finding.severity)
  return severity(b) - severity(a) || b.records - a.records
}

function rowOf(row: SweepRow, commandOf: (indicator: string) => string) {
  return {
    cells: [
      row.indicator,
      count(integerText(row.records)),
      count(integerText(row.rejected)),
      bytes(volumeText(row.bytes.from_subject, row)),
      bytes(volumeText(row.bytes.to_subject, row)),
      time(spanText(row.first_start, row.last_end)),
      bestText(row),
    ],
    detail: commandOf(row.indicator),
  }
}

/** `≥` marks a lower bound, which is not rounded. */
function volumeText(sum: Count | null, { bytes: { at_least } }: SweepRow): string {
  if (sum === null) return 'unknown'
  return at_least ? `≥ ${integerText(sum)} B` : sizeText(sum)
}

function bestText({ judged, best_finding: best }: SweepRow): Text {
  if (!judged) return 'not judged'
  return best === null ? 'none' : line`${best.severity}: ${best.title} (${best.confidence} confidence)`
}

function unjudged({ indicators, limits }: Sweep): Block[] {
  const left = indicators.seen - indicators.judged
  return left > 0
    ? [
        paragraph(
          `Rules looked at the ${integerText(limits.judged)} with the most records; ${integerText(left)} are not judged: --judge ${integerText(indicators.seen).replaceAll(',', '')} judges all.`,
        ),
      ]
    : []
}

function unseenBlocks(unseen: readonly SweepRow[], all: boolean): Block[] {
  if (unseen.length === 0) return [paragraph('None.')]
  const shown = all ? unseen : unseen.slice(0, unseenAtMost)
  const left = unseen.length - shown.length
  return [
    paragraph(
      `${shown.map(row => row.indicator).join(', ')}${left > 0 ? `, … and ${integerText(left)} more: --all lists them, --json has all` : ''}.`,
    ),
  ]
}
