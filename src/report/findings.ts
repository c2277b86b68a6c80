import type { Dossier, Finding } from '../investigate/dossier.ts'
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
import { countText, integerText, spanText } from './numbers.ts'
import { placeText } from './places.ts'

const basisAtMost = 3

/** What the rules found, in the order in which it began. */
export function findingsBlocks(d: Dossier): Block[] {
  const findings = inOrder(d.findings)
  const left = d.findings_other.reduce((sum, other) => sum + other.count, 0)
  const title = heading(`Findings (${integerText(findings.length + left)})`)
  if (findings.length === 0) return [title, paragraph('None.')]
  return [
    title,
    sharedPaths('In the evidence lines', apart(findings.map(finding => [findingEntry(finding)]))),
    ...d.findings_other.flatMap(({ rule, count }) => [
      gap,
      paragraph(`… and ${integerText(count)} more of ${rule}: of one rule those that weigh most are told singly.`),
    ]),
  ]
}

function findingEntry(finding: Finding): Block {
  const severity = finding.severity === 'high' ? alarm('HIGH') : finding.severity
  const technique = `${finding.technique} ${finding.technique_name}`.trim()
  const other = finding.counter_hypotheses.map(text => text.replace(/\.$/, '')).join('; or ')
  return entry(finding.id, finding.title, [
    paragraph(line`${severity} severity, ${finding.confidence} confidence; ${technique}`),
    paragraph(time(spanText(finding.first_start, finding.last_end))),
    paragraph(finding.summary),
    ...(other === '' ? [] : [paragraph(`Could also be: ${other}.`)]),
    evidence(finding),
  ])
}

function evidence(finding: Finding): Block {
  const places = finding.basis.slice(0, basisAtMost).map(placeText)
  if (places.length === 0) return paragraph('Evidence: the SQL in --json; no single line shows it.')
  const total = Math.max(finding.basis_total, finding.basis.length)
  const rest = total > places.length ? [`of ${countText(total, 'record')} in all`] : []
  return facts([fact('Evidence', ...places, ...rest)])
}

/** The order in which the findings began. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => compareTimes(a.first_start, b.first_start))
}
