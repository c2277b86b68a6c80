/** What detect finds in the whole case: who stands out, and every finding, the gravest first. */
import './findings.css'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { JobState } from '../../server/contract/events.ts'
import type { FindingsAnswer, FindingsState, FoundInCase, SuspectInCase } from '../../server/contract/findings.ts'
import { type Answered, AskError, caseHead, findingsPath, get, jobs, ownNetworks, post, useAnswer } from '../api.ts'
import { isOutside, windowAround } from '../finding-time.ts'
import { go, goTo, state } from '../state.ts'
import { countText, visible } from '../text.ts'
import { useAsked } from './asked.ts'
import { Blocks } from './blocks.tsx'
import { CarveButton } from './carve-button.tsx'
import { EvidenceLines } from './evidence-lines.tsx'
import { Span } from './figures.tsx'
import { JobLine } from './job-line.tsx'
import { Pages } from './pages.tsx'
import { SeverityBadge } from './severity.tsx'
import { ErrorBox, Shown } from './states.tsx'
import { hostTerm } from './term.ts'
import { Value } from './value.tsx'
import { Verdict } from './verdict.tsx'

const addressesShown = 6

/** How far they are. */
function useFindings(): { head: string; job: JobState | null; asked: Answered<FindingsState> } {
  const head = caseHead.value
  const job = newestJob()
  const key = head === '' ? null : `findings ${head} ${job?.id} ${job?.state}`
  return { head, job, asked: useAnswer<FindingsState>(key, signal => get(findingsPath(head), signal)) }
}

/** Who stands out, in a line; nothing before it is known. */
export function WhoStandsOut(): JSX.Element | null {
  const found = useFindings().asked.value?.found
  if (found == null) return null
  return (
    <div class="stands-out">
      <Blocks blocks={found.verdict.slice(0, 1)} />
      <button
        type="button"
        class="quiet"
        onClick={() => document.getElementById('findings-title')?.scrollIntoView({ block: 'start' })}
      >
        All findings
      </button>
    </div>
  )
}

/** A section of a page. */
export function Findings(): JSX.Element {
  const { head, job, asked } = useFindings()
  useAsked(asked.value?.found?.asked)
  return (
    <section class="findings-panel" aria-labelledby="findings-title">
      <h2 id="findings-title">Findings</h2>
      <Shown of={asked} what="the findings">
        {({ found }) => (found !== null ? <Found found={found} /> : <NotYet job={job} head={head} />)}
      </Shown>
    </section>
  )
}

function newestJob(): JobState | null {
  const all = [...jobs.value.values()].filter(({ kind }) => kind === 'findings')
  return all.sort((a, b) => (a.started < b.started ? 1 : -1))[0] ?? null
}

/** Nobody has asked for it, it is under way, or it went wrong. */
function NotYet({ job, head }: { job: JobState | null; head: string }): JSX.Element {
  const [failed, fail] = useState<AskError | null>(null)
  const begin = (): void => {
    fail(null)
    post<JobState>('/api/findings', { own: ownNetworks(), head }).then(
      started => {
        jobs.value = new Map(jobs.value).set(started.id, jobs.value.get(started.id) ?? started)
      },
      (error: unknown) => fail(error instanceof AskError ? error : new AskError({ error: String(error) }, 0)),
    )
  }
  if (job?.state === 'running' || job?.state === 'waiting') return <JobLine job={job} />
  if (failed !== null) return <ErrorBox error={failed.failure.error} hint={failed.failure.hint} again={begin} />
  return (
    <>
      {job?.state === 'failed' && <ErrorBox error={job.error ?? 'it failed'} hint={job.hint} />}
      <p>
        {job?.state === 'stopped' ? 'It was stopped. ' : 'The rules have not run over this case yet. '}
        <button type="button" class="first" onClick={begin}>
          Find who behaves like an attacker
        </button>
      </p>
    </>
  )
}

function Found({ found }: { found: FindingsAnswer }): JSX.Element {
  const { id, verdict, undecided, findings_total, findings_other, severities, complete, captures } = found
  return (
    <>
      <Blocks blocks={verdict} />
      {!complete && <p class="warns">The evidence has gaps: what is not found here may have happened all the same.</p>}
      <Suspects path={`/api/findings/${id}/hosts`} />
      <h3>
        {countText(findings_total)} findings:{' '}
        {(['high', 'medium', 'low', 'info'] as const).map(one => `${countText(severities[one])} ${one}`).join(', ')}
      </h3>
      {findings_total === 0 ? (
        <p class="muted">No rule found anything. That is not proof that nothing happened.</p>
      ) : (
        <Pages<FoundInCase> path={`/api/findings/${id}/findings`} what="findings" step={20}>
          {rows => (
            <ol class="findings">
              {rows.map(finding => (
                <Item key={finding.id} finding={finding} captures={captures} />
              ))}
            </ol>
          )}
        </Pages>
      )}
      {findings_other.map(({ rule, count }) => (
        <p key={rule} class="muted">
          And {countText(count)} more of {visible(rule)}, of less weight.
        </p>
      ))}
      <details class="part">
        <summary>What could not be decided</summary>
        <Blocks blocks={undecided} />
      </details>
    </>
  )
}

/** Hosts in the order of suspicion. */
function Suspects({ path }: { path: string }): JSX.Element {
  return (
    <Pages<SuspectInCase> path={path} what="hosts" step={8}>
      {rows =>
        rows.length === 0 ? null : (
          <ol class="suspects">
            {rows.map(({ rank, address, severity, why, role }) => (
              <li key={rank} value={rank}>
                <Value term={hostTerm(address)} /> <SeverityBadge severity={severity} />
                <span class="muted" title={role}>
                  {visible(why)}
                </span>
              </li>
            ))}
          </ol>
        )
      }
    </Pages>
  )
}

interface FindingProps {
  finding: FoundInCase
  /** Whether packets can be carved. */
  captures: boolean
}

function Item({ finding, captures }: FindingProps): JSX.Element {
  const { id, severity, title, first_start, last_end, subject, subject_total, peers, peers_total } = finding
  const [isOpen, open] = useState(false)
  const outside = isOutside(finding, state.value)
  return (
    <li class={outside ? 'outside' : undefined}>
      <h4>
        <button type="button" class="finding-title" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
          <SeverityBadge severity={severity} /> {visible(title)}
        </button>
      </h4>
      <p class="muted">
        {id} · <Span from={first_start} to={last_end} /> UTC{outside && ', outside what is brushed'} ·{' '}
        <Addresses some={subject} total={subject_total} />
        {peers_total > 0 && ' → '}
        <Addresses some={peers} total={peers_total} />
      </p>
      {isOpen && <Details finding={finding} captures={captures} />}
    </li>
  )
}

function Addresses({ some, total }: { some: readonly string[]; total: number }): JSX.Element {
  const shown = some.slice(0, addressesShown)
  return (
    <>
      {shown.map((address, i) => (
        <span key={address}>
          {i > 0 && ', '}
          <Value term={hostTerm(address)} />
        </span>
      ))}
      {total > shown.length && ` and ${countText(total - shown.length)} more`}
    </>
  )
}

function Details({ finding, captures }: FindingProps): JSX.Element {
  const around = windowAround(finding)
  return (
    <div class="details">
      <Blocks blocks={finding.details} depth={4} />
      <EvidenceLines basis={finding.basis} total={finding.basis_total} />
      {around !== null && (
        <p class="buttons">
          <button type="button" onClick={() => go({ from: around.from, to: around.to })}>
            Brush its time
          </button>
          {finding.filter !== null && (
            <button type="button" onClick={() => goTo('/flows', { filter: finding.filter!, ...around })}>
              Show its records
            </button>
          )}
          {captures && finding.services !== null && (
            <CarveButton
              label="Carve its packets"
              name={finding.id}
              of={{ services: finding.services, first_start: finding.first_start!, last_end: finding.last_end! }}
              hint="the packets of its connections, with their ports and in its time, as pcapng"
            />
          )}
        </p>
      )}
      <Verdict of={finding} />
    </div>
  )
}
