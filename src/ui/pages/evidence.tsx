/** Evidence: what the case was built from, what is missing in it, and what is added to it. */
import './evidence.css'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { EvidenceAnswer } from '../../server/contract/evidence.ts'
import { noCase, post, useAnswer } from '../api.ts'
import { AddEvidence } from '../parts/add-evidence.tsx'
import { useAsked } from '../parts/asked.ts'
import { CopyButton } from '../parts/copy.tsx'
import { Coverage } from '../parts/coverage.tsx'
import { Files, filesAsk } from '../parts/evidence-files.tsx'
import { LawText } from '../parts/law.tsx'
import { Problems } from '../parts/problems.tsx'
import { RemoveDialog } from '../parts/remove-dialog.tsx'
import { Shown } from '../parts/states.tsx'
import { Verify } from '../parts/verify.tsx'
import { countText, visible } from '../text.ts'

const sensorRows = 40

export function EvidencePage(): JSX.Element {
  return (
    <div class="evidence">
      <h1>Evidence</h1>
      {noCase.value === null ? <Known /> : <AddEvidence />}
    </div>
  )
}

function Known(): JSX.Element {
  const asked = filesAsk()
  const answer = useAnswer<EvidenceAnswer>(JSON.stringify(asked), signal => post('/api/evidence', asked, signal))
  useAsked(answer.value?.asked)
  return (
    <Shown of={answer} what="the files">
      {value => (
        <>
          <Summary answer={value} />
          <AddEvidence />
          <Coverage rows={sensorRows} />
          {value.problems_total > 0 && (
            <section class="panel" aria-labelledby="problems-title">
              <header>
                <h2 id="problems-title">
                  Not read <span class="muted">{countText(value.problems_total)} files and places</span>
                </h2>
              </header>
              <Problems path="" />
            </section>
          )}
          <Files answer={value} />
          <History answer={value} />
        </>
      )}
    </Shown>
  )
}

function Summary({ answer }: { answer: EvidenceAnswer }): JSX.Element {
  const { all, statuses, laws, case_records, case_metered_records, head } = answer
  const logs = case_records - case_metered_records
  return (
    <section class="panel summary" aria-label="In short">
      <dl>
        <dt>Files</dt>
        <dd>
          {countText(all)}: {statuses.map(({ status, files }) => `${countText(files)} ${status}`).join(', ')}
        </dd>
        <dt>Flow records</dt>
        <dd>
          {countText(logs)} of logs
          {case_metered_records > 0 &&
            `, ${countText(case_metered_records)} of captures and other programs' flows: they may count the same traffic`}
        </dd>
        <dt>It adds up</dt>
        <dd>
          {laws.map(law => (
            <div key={law.name}>
              <LawText law={law} />
            </div>
          ))}
        </dd>
        <dt>Ledger’s head</dt>
        <dd class="head">
          <code>{head}</code> <CopyButton text={head} what="head of the ledger" />
        </dd>
      </dl>
      <Verify />
    </section>
  )
}

const eventWords = {
  added: 'added',
  superseded: 'read again, and superseded by that reading',
  removed: 'removed',
  restored: 'put back',
} as const

function History({ answer: { history, history_total } }: { answer: EvidenceAnswer }): JSX.Element | null {
  const [restored, restore] = useState<EvidenceAnswer['history'][number] | null>(null)
  if (history_total === 0) return null
  return (
    <section class="panel" aria-labelledby="history-title">
      <header>
        <h2 id="history-title">
          Removed, put back, read again <span class="muted">{countText(history_total)}</span>
        </h2>
      </header>
      <ul class="history">
        {history.map(file => (
          <li key={`${file.id} ${file.path} ${file.events[0]?.entry}`}>
            {visible(file.path)}: {countText(file.records)} records; {file.counts ? 'counts' : 'does not count'}
            {file.events.at(-1)?.what === 'removed' && (
              <button type="button" onClick={() => restore(file)} aria-label={`Put back ${visible(file.path)}`}>
                Put back…
              </button>
            )}
            <ul>
              {file.events.map(({ what, entry, time, reason }) => (
                <li key={entry} class="muted">
                  {time.slice(0, 19).replace('T', ' ')} UTC, entry {entry}: {eventWords[what]}
                  {reason !== null && `: ${visible(reason)}`}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
      {history_total > history.length && (
        <p class="cut muted">
          First {countText(history.length)} of {countText(history_total)} files; tidemark evidence has all
        </p>
      )}
      {restored !== null && <RemoveDialog file={restored} undo close={() => restore(null)} />}
    </section>
  )
}
