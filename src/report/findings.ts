import type { Dossier, Finding } from '../investigate/dossier.ts'
import { compareTimes } from '../net/time.ts'
import { alarm, heading, type Page, paragraph, strong } from './layout.ts'
import { countText, integerText, spanText } from './numbers.ts'
import { placeText, sharedPrefix, withoutPrefix } from './places.ts'
import { pad, truncate } from './text.ts'

const basisAtMost = 3

/** What the rules found, in the order in which it began. */
export function renderFindings(d: Dossier, page: Page): string[] {
  const findings = inOrder(d.findings)
  const left = d.findings_other.reduce((sum, other) => sum + other.count, 0)
  const title = heading(page, `Findings (${integerText(findings.length + left)})`)
  if (findings.length === 0) return [...title, ...paragraph(page, 'None.')]
  const places = findings.flatMap(finding => finding.basis.slice(0, basisAtMost).map(place => place.path))
  const prefix = sharedPrefix(places, page)
  const legend = prefix === '' ? [] : paragraph(page, `In the evidence lines … stands for ${prefix}`)
  return [
    ...title,
    ...findings.flatMap((finding, i) => [...(i > 0 ? [''] : []), ...renderFinding(finding, prefix, page)]),
    ...(legend.length > 0 ? ['', ...legend] : []),
    ...d.findings_other.flatMap(({ rule, count }) => [
      '',
      ...paragraph(
        page,
        `… and ${integerText(count)} more of ${rule}: of one rule those that weigh most are told singly.`,
      ),
    ]),
  ]
}

function renderFinding(finding: Finding, prefix: string, page: Page): string[] {
  const severity = finding.severity === 'high' ? alarm(page, 'HIGH') : finding.severity
  const technique = `${finding.technique} ${finding.technique_name}`.trim()
  const margin = '      '
  const other = finding.counter_hypotheses.map(text => text.replace(/\.$/, '')).join('; or ')
  return [
    ...paragraph(page, strong(page, finding.title), `  ${pad(truncate(finding.id, 8), 2)}  `),
    ...paragraph(page, `${severity} severity, ${finding.confidence} confidence; ${technique}`, margin),
    ...paragraph(page, spanText(finding.first_start, finding.last_end), margin),
    ...paragraph(page, finding.summary, margin),
    ...(other === '' ? [] : paragraph(page, `Could also be: ${other}.`, margin)),
    ...evidence(finding, prefix, page),
  ]
}

function evidence(finding: Finding, prefix: string, page: Page): string[] {
  const shown = finding.basis.slice(0, basisAtMost)
  if (shown.length === 0) return paragraph(page, 'Evidence: the SQL in --json; no single line shows it.', '      ')
  const places = shown.map(place => placeText({ ...place, path: withoutPrefix(place.path, prefix) }))
  const total = Math.max(finding.basis_total, finding.basis.length)
  const rest = total > shown.length ? [`of ${countText(total, 'record')} in all`] : []
  return [...places, ...rest].flatMap((place, i) =>
    paragraph(page, place, i === 0 ? '      Evidence  ' : ' '.repeat(16)),
  )
}

/** The order in which the findings began. */
export function inOrder(findings: Finding[]): Finding[] {
  return [...findings].sort((a, b) => compareTimes(a.first_start, b.first_start))
}
