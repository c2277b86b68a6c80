import type { Dossier, Finding, Severity } from '../investigate/dossier.ts'
import { compareTimes } from '../net/time.ts'
import {
  alarm,
  apart,
  type Block,
  entry,
  fact,
  facts,
  gap,
  heading,
  line,
  paragraph,
  sharedPaths,
  time,
} from './block.ts'
import { onlyDay, spanOn } from './days.ts'
import { countText, integerText } from './numbers.ts'
import { placeText } from './places.ts'

const basisAtMost = 3
const shortAtMost = 12
const severities: readonly Severity[] = ['high', 'medium', 'low', 'info']

/** What the rules found: the most severe first, those of one severity in the order in which they began. */
export function findingsBlocks(d: Dossier, full: boolean): Block[] {
  const findings = bySeverity(d.findings)
  const left = d.findings_other.reduce((sum, other) => sum + other.count, 0)
  const title = heading(`Findings (${integerText(findings.length + left)})`)
  if (findings.length === 0) return [title, paragraph('None.')]
  const shown = full ? findings : findings.slice(0, shortAtMost)
  const notShown = findings.length - shown.length
  return [
    title,
    ...(full
      ? [sharedPaths('In the evidence lines', apart(shown.map(finding => [wholeEntry(d, finding)])))]
      : shown.map((finding, i) => shortEntry(d, finding, shown.slice(0, i)))),
    ...(notShown > 0 ? [paragraph(`… and ${countText(notShown, 'more finding')}: --full lists them too.`)] : []),
    ...d.findings_other.flatMap(({ rule, count }) => [
      gap,
      paragraph(`… and ${integerText(count)} more of ${rule}: of each rule the most severe are listed.`),
    ]),
  ]
}

/** What is said of a finding, and what else it could be; of its evidence the number of records. */
function shortEntry(d: Dossier, finding: Finding, before: readonly Finding[]): Block {
  const { severity, confidence, basis_total, summary } = finding
  const records = basis_total > 0 ? `; ${countText(basis_total, 'record')}` : ''
  const when = time(spanOn(onlyDay(d), finding.first_start, finding.last_end))
  const causes = otherCauses(finding, causesAtMost)
  const same = before.find(one => causes !== '' && otherCauses(one, causesAtMost) === causes)
  const other = same === undefined ? causes : `Could also be: what ${same.id} could be.`
  const technique = isTechnique(finding) ? `; if so, ATT&CK ${finding.technique}` : ''
  const said = other === '' ? summary : `${summary} ${other}`
  return entry(
    finding.id,
    finding.title,
    severity === 'info'
      ? [paragraph(line`info; ${when}${records}. ${other === '' ? summary : other}`)]
      : [
          paragraph(line`${severityText(finding)}, ${confidence} confidence; ${when}${records}${technique}`),
          paragraph(said),
        ],
  )
}

function wholeEntry(d: Dossier, finding: Finding): Block {
  const other = otherCauses(finding)
  return entry(finding.id, finding.title, [
    paragraph(line`${severityText(finding)}, ${finding.confidence} confidence${techniqueText(finding)}`),
    paragraph(time(spanOn(null, finding.first_start, finding.last_end))),
    paragraph(finding.summary),
    ...(other === '' ? [] : [paragraph(other)]),
    evidence(d, finding),
  ])
}

function severityText({ severity }: Finding) {
  return severity === 'high' ? alarm('HIGH') : severity
}

/** The technique that it would be, if it is what it looks like. */
function techniqueText(finding: Finding): string {
  return isTechnique(finding) ? `; if so, ATT&CK ${finding.technique} ${finding.technique_name ?? ''}`.trimEnd() : ''
}

/** Information is no technique. */
function isTechnique({ severity, technique }: Finding): boolean {
  return severity !== 'info' && Boolean(technique)
}

/** Other causes that the short page names of a finding: it is read on one screen. */
const causesAtMost = 2

function otherCauses({ counter_hypotheses }: Finding, most = counter_hypotheses.length): string {
  const other = counter_hypotheses.slice(0, most).map(text => text.replace(/\.$/, ''))
  const left = counter_hypotheses.length - other.length
  if (other.length === 0) return ''
  return `Could also be: ${other.join('; or ')}${left > 0 ? `; or ${left} more` : ''}.`
}

function evidence(d: Dossier, finding: Finding): Block {
  const places = finding.basis.slice(0, basisAtMost).map(placeText)
  if (places.length === 0) return paragraph('Evidence: the SQL in --json; no single line shows it.')
  const total = Math.max(finding.basis_total, finding.basis.length)
  const rest =
    total > places.length
      ? [`of ${countText(total, 'record')} in all${d.source === 'logs' ? `: --lines ${finding.id}` : ''}`]
      : []
  return facts([fact('Evidence', ...places, ...rest)])
}

/** The most severe first, those of one severity in the order in which they began. */
export function bySeverity<T extends Pick<Finding, 'severity' | 'first_start'>>(findings: readonly T[]): T[] {
  const rank = ({ severity }: T): number => severities.indexOf(severity)
  return inOrder(findings).sort((a, b) => rank(a) - rank(b))
}

/** The order in which the findings began. */
export function inOrder<T extends Pick<Finding, 'first_start'>>(findings: readonly T[]): T[] {
  return [...findings].sort((a, b) => compareTimes(a.first_start, b.first_start))
}
