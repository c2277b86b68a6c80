/** What detect finds in the whole case: who stands out, and every finding, the gravest first. */
import './findings.css'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { JobState } from '../../server/contract/events.ts'
import type { FindingsAnswer, FindingsState, FoundInCase, SuspectInCase } from '../../server/contract/findings.ts'
import type { ListPage } from '../../server/contract/host.ts'
import { AskError, caseHead, findingsPath, get, jobs, ownNetworks, post, useAnswer } from '../api.ts'
import { isOutside, windowAround } from '../finding-time.ts'
import { go, goTo, state } from '../state.ts'
import { countText, visible } from '../text.ts'
import { useAsked } from './asked.ts'
import { Blocks } from './blocks.tsx'
import { CarveButton } from './carve-button.tsx'
import { EvidenceLines } from './evidence-lines.tsx'
import { Span } from './figures.tsx'
import { FindingLink, FindingWords } from './finding-link.tsx'
import { useFound } from './found.ts'
import { JobLine } from './job-line.tsx'
import { Pages } from './pages.tsx'
import { SeverityBadge } from './severity.tsx'
import { ErrorBox, Shown } from './states.tsx'
import { hostTerm } from './term.ts'
import { Value } from './value.tsx'
import { Verdict } from './verdict.tsx'

const addressesShown = 6
const stepsMost = 8
const graveStep = 10

/** A section of a page. */
export function Findings(): JSX.Element {
  const head = caseHead.value
  const job = newestJob()
  const key = head === '' ? null : `findings ${head} ${job?.id} ${job?.state}`
  const asked = useAnswer<FindingsState>(key, signal => get(findingsPath(head), signal))
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
  const grave = findings_total - severities.info
  const path = `/api/findings/${id}/findings`
  const list = (rows: readonly FoundInCase[]): JSX.Element => (
    <ol class="findings">
      {rows.map(finding => (
        <Item key={finding.id} finding={finding} captures={captures} />
      ))}
    </ol>
  )
  return (
    <>
      <Blocks blocks={verdict} />
      {!complete && <p class="warns">The evidence has gaps: what is not found here may have happened all the same.</p>}
      <Steps />
      <Chosen found={found} />
      <details class="part">
        <summary>
          {countText(findings_total)} findings:{' '}
          {(['high', 'medium', 'low', 'info'] as const).map(one => `${countText(severities[one])} ${one}`).join(', ')}
        </summary>
        <Suspects path={`/api/findings/${id}/hosts`} />
        {findings_total === 0 ? (
          <p class="muted">No rule found anything. That is not proof that nothing happened.</p>
        ) : (
          <>
            {grave > 0 && (
              <Pages<FoundInCase> path={path} what="findings" step={graveStep} to={grave}>
                {list}
              </Pages>
            )}
            {severities.info > 0 && (
              <details class="part">
                <summary>{countText(severities.info)} of severity info</summary>
                <Pages<FoundInCase> path={path} what="findings" step={20} from={grave}>
                  {list}
                </Pages>
              </details>
            )}
          </>
        )}
        {findings_other.map(({ rule, count }) => (
          <p key={rule} class="muted">
            And {countText(count)} more of {visible(rule)}, of less weight.
          </p>
        ))}
      </details>
      <details class="part">
        <summary>What could not be decided</summary>
        <Blocks blocks={undecided} />
      </details>
    </>
  )
}

/** The graver findings of whoever stands out first, in order of time. */
function Steps(): JSX.Element | null {
  const { found, brief } = useFound()
  const path = found === null ? null : `/api/findings/${found.id}/hosts?from=0&count=1`
  const first = useAnswer<ListPage<SuspectInCase>>(path, signal => get(path!, signal)).value?.rows[0]
  if (first === undefined || first.severity === 'info') return null
  const steps = brief
    .filter(({ id, severity }) => severity !== 'info' && first.findings.includes(id))
    .sort((a, b) => ((a.first_start ?? '') < (b.first_start ?? '') ? -1 : 1))
  return (
    <ol class="steps-of" aria-label={`What ${first.address} did, in order of time`}>
      {steps.slice(0, stepsMost).map(({ id, title, first_start, last_end }) => (
        <li key={id}>
          <Span from={first_start} to={last_end} /> UTC: {visible(title)} (<FindingLink id={id} />)
        </li>
      ))}
      {steps.length > stepsMost && <li>and {countText(steps.length - stepsMost)} more, below</li>}
      {found!.captures && (
        <li>
          <Value term={hostTerm(first.address)} />: its page says which of its connections captures have packets of.
        </li>
      )}
    </ol>
  )
}

/** The finding that the address of the page names. */
function Chosen({ found: { id, captures } }: { found: FindingsAnswer }): JSX.Element | null {
  const { brief } = useFound()
  const name = state.value.own['_finding']
  const at = brief.findIndex(one => one.id === name)
  const path = at < 0 ? null : `/api/findings/${id}/findings?from=${at}&count=1`
  const page = useAnswer<ListPage<FoundInCase>>(path, signal => get(path!, signal))
  if (name === undefined || brief.length === 0) return null
  if (at < 0)
    return <p class="warns">No finding of this case is called {visible(name)}: evidence may have been added.</p>
  const finding = page.value?.rows[0]
  if (finding === undefined || finding.id !== name) return null
  return (
    <ol class="findings chosen">
      <Item key={name} finding={finding} captures={captures} isChosen />
    </ol>
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
                  <FindingWords text={why} />
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
  /** Whether it is open from the beginning. */
  isChosen?: boolean
}

function Item({ finding, captures, isChosen = false }: FindingProps): JSX.Element {
  const { id, severity, title, first_start, last_end, subject, subject_total, peers, peers_total } = finding
  const [isOpen, open] = useState(isChosen)
  const outside = isOutside(finding, state.value)
  return (
    <li class={outside ? 'outside' : undefined}>
      <h3>
        <button type="button" class="finding-title" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
          <SeverityBadge severity={severity} /> {visible(title)}
        </button>
      </h3>
      <p class="muted">
        <FindingLink id={id} /> · <Span from={first_start} to={last_end} /> UTC{outside && ', outside what is brushed'}{' '}
        ·{' '}
        {finding.inward && peers_total > 0 && (
          <>
            <Addresses some={peers} total={peers_total} /> →{' '}
          </>
        )}
        <Addresses some={subject} total={subject_total} />
        {!finding.inward && peers_total > 0 && (
          <>
            {' '}
            → <Addresses some={peers} total={peers_total} />
          </>
        )}
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
      <Blocks blocks={finding.details} depth={3} />
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
          {captures && finding.services === null && (
            <span class="muted">
              It has too many services to carve its packets: carve those of one of its connections.
            </span>
          )}
        </p>
      )}
      <Verdict of={finding} />
    </div>
  )
}
