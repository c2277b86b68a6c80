/** Who served what: by the numbers of ports, or, once that was worked out, as judged of the connections. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ViewAsk } from '../../../server/contract/common.ts'
import type { JobState } from '../../../server/contract/events.ts'
import type { JudgedAnswer, Order, ServiceRow, ServicesAnswer } from '../../../server/contract/view.ts'
import { type Answered, jobs, jobValue, ownNetworks, post, useAnswer } from '../../api.ts'
import { useAsked } from '../../parts/asked.ts'
import { ErrorBox, Shown as ShownAnswer } from '../../parts/states.tsx'
import { fieldTerm, type Term } from '../../parts/term.ts'
import { go, state } from '../../state.ts'
import { Choice } from './legend.tsx'
import { outcomeParts } from './panels.tsx'
import { RankedPanel, rowsMost, rowsUsual } from './ranked.tsx'

export type Basis = 'ports' | 'judged'

const bases = [
  ['ports', 'By port number'],
  ['judged', 'Judged'],
] as const

/** Records above which a judged answer takes seconds: then it is shown when it is asked for. */
const promptMost = 2_000_000

/** Whether connections were judged, and what the panel shows then. */
export function useBasis(view: ViewAsk, records: number): { basis: Basis; judged: Answered<JudgedAnswer> } {
  const asked = { own: view.own }
  const judged = useAnswer<JudgedAnswer>(`judged ${JSON.stringify(asked)}`, signal =>
    post('/api/judged', asked, signal),
  )
  const chosen = state.value.own['_services']
  const usual: Basis = judged.value?.judged === true && records <= promptMost ? 'judged' : 'ports'
  const basis = chosen === 'ports' || chosen === 'judged' ? chosen : usual
  return { basis: judged.value?.judged === true ? basis : 'ports', judged }
}

/** Which of both is shown, or how to have the other. */
export function BasisBar({ basis, judged }: { basis: Basis; judged: Answered<JudgedAnswer> }): JSX.Element | null {
  const [job, start] = useState<JobState | null>(null)
  const [failed, fail] = useState<string | null>(null)
  if (judged.value === null) return null
  if (judged.value.judged) {
    return (
      <div class="basis">
        <Choice
          title="How services are told"
          items={bases}
          chosen={basis}
          choose={one => go({ own: { ...state.value.own, _services: one } })}
        />
      </div>
    )
  }
  const { seconds } = judged.value
  const now = job === null ? null : (jobs.value.get(job.id) ?? job)
  const judge = async (): Promise<void> => {
    try {
      const started = await post<JobState>('/api/judge', { own: ownNetworks() })
      start(started)
      await jobValue(started, new AbortController().signal)
      judged.again()
    } catch (error) {
      fail(String(error instanceof Error ? error.message : error))
    }
    start(null)
  }
  return (
    <div class="basis">
      <span class="muted">The lower port of a record. Who began a connection was not judged yet.</span>
      {now === null ? (
        <button type="button" onClick={() => void judge()}>
          Judge who connected to whom ({aboutText(seconds)})
        </button>
      ) : (
        <span role="status">{now.doing ?? 'judging'}…</span>
      )}
      {failed !== null && <ErrorBox error={failed} />}
    </div>
  )
}

function aboutText(seconds: number): string {
  if (seconds < 90) return `about ${Math.max(1, seconds)} s`
  return `about ${Math.ceil(seconds / 60)} min`
}

interface PanelProps {
  answer: Answered<ServicesAnswer>
  order: Order
  basis: JSX.Element
  isMore: boolean
  onMore: (isMore: boolean) => void
}

/** More ports than these are not named. */
const portsMost = 3

/** `8889 (ddi-tcp-2)`: IANA's names say little of what really ran on a port. */
function serviceTerm({ service, ports }: ServiceRow): Term {
  const term = fieldTerm('service', service)
  return ports.length === 0 || ports.length > portsMost ? term : { ...term, text: `${ports.join(', ')} (${term.text})` }
}

/** Services as judged; not while the brush is dragged, for that takes longer than a frame. */
export function JudgedPanel({ answer, order, basis, isMore, onMore }: PanelProps): JSX.Element {
  useAsked(answer.value?.asked)
  return (
    <ShownAnswer of={answer} what="the services">
      {ranked => (
        <RankedPanel
          title="Services, as judged"
          id="panel-services"
          what="service"
          whats="services"
          ranked={ranked}
          order={order}
          shownOf={row => ({
            ...{ key: String(row.service), term: serviceTerm(row), parts: outcomeParts(row, order) },
          })}
          parts={['accepted', 'rejected']}
          most={isMore ? rowsMost : rowsUsual}
          isMore={isMore}
          onMore={onMore}
        >
          {basis}
        </RankedPanel>
      )}
    </ShownAnswer>
  )
}
