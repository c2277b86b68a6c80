/** Host: what its own records say of an address or a network. */
import './host.css'
import type { ComponentChildren, JSX } from 'preact'
import type { JobState } from '../../server/contract/events.ts'
import type {
  DossierAnswer,
  DossierAsk,
  DossierFinding,
  DossierPart,
  DossierService,
  Lane,
  ListPage,
} from '../../server/contract/host.ts'
import { caseHead, get, jobs, jobValue, ownNetworks, post, useAnswer } from '../api.ts'
import { useAsked } from '../parts/asked.ts'
import { Blocks } from '../parts/blocks.tsx'
import { CorrelationTable } from '../parts/correlation-table.tsx'
import { DossierFindings } from '../parts/dossier-findings.tsx'
import { namesOf, renamed, useFound } from '../parts/found.ts'
import { HostNow } from '../parts/host-now.tsx'
import { JobLine } from '../parts/job-line.tsx'
import { Lanes } from '../parts/lanes.tsx'
import { Pages } from '../parts/pages.tsx'
import { ServicesTable } from '../parts/services-table.tsx'
import { Cut, Empty, Shown } from '../parts/states.tsx'
import { go, linkTo, state } from '../state.ts'
import { countText, visible } from '../text.ts'

const lanesShown = 40
/** What a filter can name, most likely; the dossier says what is wrong with anything else. */
const isAddress = /^[\da-f.:]*[.:][\da-f.:]*(\/\d{1,3})?$/i

export function HostPage(): JSX.Element {
  const subject = subjectOf(state.value.path)
  if (subject === '') return <Empty>No host is named in this address.</Empty>
  return <Host key={subject} subject={subject} />
}

/** `/host/10.0.0.0%2F8`: the text after the second slash. */
function subjectOf(path: string): string {
  const text = path.split('/').slice(2).join('/')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function Host({ subject }: { subject: string }): JSX.Element {
  const head = caseHead.value
  const ask: DossierAsk = { subjects: [subject], own: ownNetworks(), head }
  const dossier = useAnswer<DossierAnswer>(head === '' ? null : JSON.stringify(ask), async signal =>
    jobValue<DossierAnswer>(await post<JobState>('/api/dossier', ask, signal), signal),
  )
  const running = [...jobs.value.values()].find(
    ({ kind, title, state: now }) => kind === 'dossier' && now === 'running' && title === `Dossier of ${subject}`,
  )
  useAsked(dossier.value?.asked)
  return (
    <div class="host-page">
      <h1>
        {subject.includes('/') ? 'Network' : 'Host'} {visible(subject)}
        {dossier.value !== null && <Kind answer={dossier.value} />}
      </h1>
      {isAddress.test(subject) && <HostNow subject={subject} />}
      {running !== undefined && dossier.since !== null && dossier.value === null ? (
        <JobLine job={running} />
      ) : (
        <Shown of={dossier} what="the dossier">
          {answer => <Dossier answer={answer} subject={subject} />}
        </Shown>
      )}
    </div>
  )
}

function Kind({ answer: { internal } }: { answer: DossierAnswer }): JSX.Element | null {
  if (internal === null) return null
  const what = internal ? 'internal' : 'external'
  const why = internal
    ? 'an address that the internet does not route, or of your own networks'
    : 'neither an address that the internet does not route, nor of your own networks'
  return (
    <span class={`kind ${what}`} title={why}>
      {what}
    </span>
  )
}

function Dossier({ answer, subject }: { answer: DossierAnswer; subject: string }): JSX.Element {
  const { id, lists, records, services_other } = answer
  const { brief } = useFound()
  const findings = useAnswer<ListPage<DossierFinding>>(`${id} names`, signal =>
    get(`/api/dossier/${id}/findings?from=0&count=1000`, signal),
  )
  const names = namesOf(findings.value?.rows ?? [], brief)
  const words = renamed(answer.words, names)
  const all = lists.services + services_other.count
  const path = (list: string): string => `/api/dossier/${id}/${list}`
  return (
    <>
      <Words of={words.headline.slice(1)} />
      <Words of={words.who} />
      {records.subject > 0 && (
        <>
          <Part title="What happened">
            <Blocks blocks={words.story} />
          </Part>
          <DossierFindings path={path('findings')} total={lists.findings} others={answer.findings_other} />
          <Words of={words.sure} />
          <Part title={`Services (${countText(all)})`}>
            <Pages<DossierService> path={path('services')} what="services">
              {rows => <ServicesTable rows={rows.map(row => ({ ...row, findings: renamed(row.findings, names) }))} />}
            </Pages>
            {services_other.count > 0 && <Others answer={answer} />}
          </Part>
          <LanesPart path={path('lanes')} answer={answer} subject={subject} all={all} />
          {answer.correlation !== null && (
            <Part title="Logs and packets">
              <Blocks blocks={words.packets.slice(1)} />
              <p>
                <a
                  href={linkTo({ own: { ...state.value.own, _with: 'packets', _order: 'bytes' } })}
                  onClick={event => {
                    event.preventDefault()
                    go({ own: { ...state.value.own, _with: 'packets', _order: 'bytes' } })
                  }}
                >
                  The connections that packets prove
                </a>
                , each with a page of its own
              </p>
              <Fold title="Connection by connection" isOpen={state.value.own['_with'] !== undefined}>
                <CorrelationTable
                  path={`/api/dossier/${id}`}
                  all={answer.correlation.log_connections + answer.correlation.capture_only}
                />
              </Fold>
            </Part>
          )}
          {words.rejects.length > 0 && <Words of={words.rejects} />}
        </>
      )}
      <Fold title="Window, coverage, and what was counted once">
        <Blocks blocks={words.coverage} />
      </Fold>
      <Fold title="What this evidence cannot tell">
        <Blocks blocks={words.limits} />
      </Fold>
    </>
  )
}

function Words({ of: blocks }: { of: DossierAnswer['words'][DossierPart] }): JSX.Element | null {
  if (blocks.length === 0) return null
  return (
    <section class="part">
      <Blocks blocks={blocks} depth={1} />
    </section>
  )
}

function Part({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="part">
      <h2>{title}</h2>
      {children}
    </section>
  )
}

interface FoldProps {
  title: string
  isOpen?: boolean
  children: ComponentChildren
}

function Fold({ title, isOpen = false, children }: FoldProps): JSX.Element {
  return (
    <details class="part" open={isOpen}>
      <summary>{title}</summary>
      {children}
    </details>
  )
}

function Others({ answer: { services_other: other, lists } }: { answer: DossierAnswer }): JSX.Element {
  return (
    <p class="muted">
      {countText(lists.services)} are listed, those with findings and the most bytes; the other {countText(other.count)}{' '}
      have {countText(other.connections)} connections, {countText(other.records)} records,{' '}
      {other.at_least ? 'at least ' : ''}
      {countText(other.bytes_to_server)} B to the servers and {countText(other.bytes_to_client)} B back.
    </p>
  )
}

function LanesPart({
  path,
  answer,
  subject,
  all,
}: {
  path: string
  answer: DossierAnswer
  subject: string
  all: number
}): JSX.Element {
  const count = state.value.own['_lanes'] === 'all' ? 200 : lanesShown
  const lanes = useAnswer<ListPage<Lane>>(`${path} ${count}`, signal => get(`${path}?from=0&count=${count}`, signal))
  return (
    <Part title="Connections over time">
      <Shown of={lanes} what="the connections">
        {({ rows, total }) => (
          <>
            <Lanes lanes={rows} host={subject} />
            {rows.length < total && <MoreLanes total={total} />}
            <Cut shown={rows.length} of={all} what="services" />
            {answer.source === 'packets' && <p class="muted">All of them are of captures.</p>}
          </>
        )}
      </Shown>
    </Part>
  )
}

function MoreLanes({ total }: { total: number }): JSX.Element {
  return (
    <p>
      <button type="button" onClick={() => go({ own: { ...state.value.own, _lanes: 'all' } })}>
        Show {countText(total)} services
      </button>
    </p>
  )
}
