/** What the rules find of one host. */
import './findings.css'
import type { JSX } from 'preact'
import type { DossierFinding } from '../../server/contract/host.ts'
import { isOutside } from '../finding-time.ts'
import { state } from '../state.ts'
import { countText, visible } from '../text.ts'
import { EvidenceLines } from './evidence-lines.tsx'
import { Span } from './figures.tsx'
import { Pages } from './pages.tsx'
import { SeverityBadge } from './severity.tsx'
import { Verdict } from './verdict.tsx'

interface Props {
  path: string
  total: number
  /** Beyond those that are told singly. */
  others: readonly { rule: string; count: number }[]
}

export function DossierFindings({ path, total, others }: Props): JSX.Element {
  const left = others.reduce((sum, { count }) => sum + count, 0)
  return (
    <section class="part">
      <h2>Findings ({countText(total + left)})</h2>
      {total === 0 ? (
        <p class="muted">No rule found anything in what it did. That is not proof that it did nothing.</p>
      ) : (
        <Pages<DossierFinding> path={path} what="findings" step={25}>
          {rows => (
            <ol class="findings">
              {rows.map(finding => (
                <Item key={finding.id} finding={finding} />
              ))}
            </ol>
          )}
        </Pages>
      )}
      {others.map(({ rule, count }) => (
        <p key={rule} class="muted">
          And {countText(count)} more of {visible(rule)}: of each rule the most severe are listed.
        </p>
      ))}
    </section>
  )
}

function Item({ finding }: { finding: DossierFinding }): JSX.Element {
  const { id, severity, confidence, title, summary, first_start, last_end, technique, technique_name } = finding
  return (
    <li class={isOutside(finding, state.value) ? 'outside' : undefined}>
      <h3>
        <SeverityBadge severity={severity} /> <span class="muted">{id}</span> {visible(title)}
      </h3>
      <p class="muted">
        {confidence} confidence, <Span from={first_start} to={last_end} /> UTC
        {severity !== 'info' && technique !== null && `; if so, ATT&CK ${technique} ${technique_name ?? ''}`}
      </p>
      <p>{visible(summary)}</p>
      {finding.counter_hypotheses.length > 0 && (
        <p>Could also be: {visible(finding.counter_hypotheses.join('; or '))}.</p>
      )}
      <EvidenceLines basis={finding.basis} total={finding.basis_total} />
      <Verdict of={finding} />
    </li>
  )
}
