/** How grave a finding is: a word, a sign and a colour. */
import './severity.css'
import type { JSX } from 'preact'
import type { Severity } from '../../server/contract/findings.ts'

const signs: Readonly<Record<Severity, string>> = { high: '▲', medium: '◆', low: '▽', info: '○' }

export function SeverityBadge({ severity }: { severity: Severity }): JSX.Element {
  return (
    <span class={`severity ${severity}`}>
      <span aria-hidden="true">{signs[severity]}</span> {severity}
    </span>
  )
}
