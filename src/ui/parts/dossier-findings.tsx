/** What the rules find of one host. */
import './findings.css'
import type { JSX } from 'preact'
import type { FindingBrief } from '../../server/contract/findings.ts'
import type { DossierFinding } from '../../server/contract/host.ts'
import { isOutside } from '../finding-time.ts'
import { state } from '../state.ts'
import { countText, visible } from '../text.ts'
import { EvidenceLines } from './evidence-lines.tsx'
import { Span } from './figures.tsx'
import { FindingLink } from './finding-link.tsx'
import { sameInCase, useFound } from './found.ts'
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
  const { found, brief } = useFound()
  const left = others.reduce((sum, { count }) => sum + count, 0)
  return (
    <section class="part">
      <h2>Findings ({countText(total + left)})</h2>
      <p class="muted">
        {found === null
          ? 'The rules have not run over the whole case: findings are numbered within this dossier.'
          : 'Those that are findings of the whole case have its number. A dossier is of a host that is suspected already: it takes less to be a finding there, and severity and confidence may be higher.'}
      </p>
      {total === 0 ? (
        <p class="muted">No rule found anything in what it did. That is not proof that it did nothing.</p>
      ) : (
        <Pages<DossierFinding> path={path} what="findings" step={25}>
          {rows => (
            <ol class="findings">
              {rows.map(finding => (
                <Item key={finding.id} finding={finding} same={sameInCase(finding, brief)} />
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

function Item({ finding, same }: { finding: DossierFinding; same: FindingBrief | null }): JSX.Element {
  const { id, severity, confidence, title, summary, first_start, last_end, technique, technique_name } = finding
  return (
    <li class={isOutside(finding, state.value) ? 'outside' : undefined}>
      <h3>
        <SeverityBadge severity={severity} />{' '}
        {same === null ? <span class="muted">dossier {id.slice(1)}</span> : <FindingLink id={same.id} />}{' '}
        {visible(title)}
      </h3>
      <p class="muted">
        {confidence} confidence, <Span from={first_start} to={last_end} /> UTC
        {severity !== 'info' && technique !== null && `; if so, ATT&CK ${technique} ${technique_name ?? ''}`}
        {same !== null &&
          (same.severity !== severity || same.confidence !== confidence) &&
          `; over the whole case: ${same.severity}, ${same.confidence} confidence`}
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
