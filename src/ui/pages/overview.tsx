/** Overview: what moved when, who and what it was, and what stands out. */
import './overview.css'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Window } from '../../server/contract/common.ts'
import type {
  GapsAnswer,
  Order,
  RangeAnswer,
  RangeAsk,
  ServicesAnswer,
  TimelineAnswer,
  TimelineAsk,
} from '../../server/contract/view.ts'
import { type Answered, get, post, useAnswer, useNewest, viewAsk } from '../api.ts'
import { askIndexed } from '../indexed.ts'
import { Coverage } from '../parts/coverage.tsx'
import { Findings } from '../parts/findings.tsx'
import { announce } from '../parts/live.tsx'
import { ErrorBox, oldMilliseconds, Shown, useWaited } from '../parts/states.tsx'
import { state } from '../state.ts'
import { bytesText, countText, windowText } from '../text.ts'
import { BuildingNote } from './overview/building.tsx'
import { useCommands } from './overview/commands.ts'
import { stackOf } from './overview/legend.tsx'
import { useMarks } from './overview/marks.ts'
import { Nothing } from './overview/nothing.tsx'
import { Panels, useMore } from './overview/panels.tsx'
import { rowsMost, rowsUsual } from './overview/ranked.tsx'
import { BasisBar, JudgedPanel, useBasis } from './overview/services.tsx'
import { Timeline } from './overview/timeline.tsx'
import { TotalsStrip } from './overview/totals.tsx'
import { brushed, isDragging, windowKey } from './overview/window.ts'
import { WindowLine } from './overview/window-line.tsx'

/** Sensors whose coverage is shown at first. */
const sensorRows = 12

export function OverviewPage(): JSX.Element {
  const { zoomFrom, zoomTo, measure, own } = state.value
  const stack = stackOf(own['_stack'])
  const asked: TimelineAsk = { view: viewAsk(state.value), zoom: { from: zoomFrom, to: zoomTo }, measure, stack }
  const answer = useAnswer<TimelineAnswer>(JSON.stringify(asked), signal => askIndexed('/api/view', asked, signal))
  const marks = useMarks()
  const gaps = useAnswer<GapsAnswer>('gaps', signal => get('/api/gaps', signal))
  return (
    <div class="overview">
      <h1 class="aside">Overview</h1>
      <BuildingNote />
      <div class="panel found">
        <Findings />
      </div>
      <Figures answer={answer} beside={<Beside />}>
        <Shown of={answer} what="the timeline">
          {value => (
            <Timeline answer={value} measure={measure} stack={stack} gaps={gaps.value?.gaps ?? []} marks={marks} />
          )}
        </Shown>
      </Figures>
    </div>
  )
}

/** Of the whole case, whatever is filtered: when which sensor recorded. */
function Beside(): JSX.Element {
  return (
    <div class="panel wide">
      <Coverage rows={sensorRows} />
    </div>
  )
}

interface FiguresProps {
  answer: Answered<TimelineAnswer>
  children: ComponentChildren
  beside: JSX.Element
}

/** What follows the brush: totals and panels. */
function Figures({ answer, children, beside }: FiguresProps): JSX.Element {
  const view = viewAsk(state.value)
  const order: Order = state.value.measure === 'records' ? 'records' : 'bytes'
  const [more, setMore] = useMore()
  const { from, to } = state.value
  const settled = !isDragging.value
  const window: Window = settled ? { from, to } : (brushed.value ?? { from: null, to: null })
  const top = more.size > 0 ? rowsMost : rowsUsual
  const asked: RangeAsk = { view, window, order, top, complete: settled }
  const range = useNewest<RangeAnswer>(JSON.stringify(asked), signal => askIndexed('/api/range', asked, signal))
  // Figures of an earlier question do not stand beside the error of this one.
  const now = range.error === null ? range.value : null
  const isOld = useWaited(settled ? range.since : null) > oldMilliseconds
  const whole = answer.value?.whole ?? null
  const { basis, judged } = useBasis(view, Number(whole?.records ?? 0))
  const released = { view, window: { from, to }, order, top }
  const services = useAnswer<ServicesAnswer>(
    basis === 'judged' ? `services ${JSON.stringify(released)}` : null,
    signal => post('/api/services', released, signal),
  )
  useCommands(released)
  useTold(now, settled && !range.busy)
  const totals = now?.totals ?? null
  const bar = <BasisBar basis={basis} judged={judged} />
  return (
    <>
      <TotalsStrip {...{ totals, whole, isOld }} isAll={from === null && to === null && view.filter.trim() === ''} />
      {whole !== null &&
        from === null &&
        to === null &&
        Number(totals?.collapsed ?? 0) > 0 &&
        view.filter.trim() === '' && (
          <p class="muted">
            {countText(Number(totals!.records) + Number(totals!.collapsed))} records in the case:{' '}
            {countText(totals!.records)} are counted, {countText(totals!.collapsed)} are of traffic that another sensor
            or file has too.
          </p>
        )}
      {children}
      <WindowLine answer={answer.value} />
      {range.error !== null && <ErrorBox error={range.error.failure.error} hint={range.error.failure.hint} />}
      <div
        class={`panels${isOld ? ' old' : ''}`}
        aria-busy={range.busy}
        data-window={now === null ? undefined : windowKey(now.window)}
      >
        {totals !== null && Number(totals.records) === 0 ? (
          <Nothing view={view} window={{ from, to }} />
        ) : (
          now !== null && (
            <Panels
              {...{ order, more, setMore }}
              range={now}
              basis={bar}
              services={
                basis === 'ports' ? null : (
                  <JudgedPanel
                    {...{ order }}
                    answer={services}
                    basis={bar}
                    isMore={more.has('ports')}
                    onMore={isMore => setMore('ports', isMore)}
                  />
                )
              }
            />
          )
        )}
        {beside}
      </div>
    </>
  )
}

/** Tells those who do not see it what the window holds, once it rests. */
function useTold(range: RangeAnswer | null, settled: boolean): void {
  const { window, totals } = range ?? {}
  const told =
    !settled || window === undefined || totals === undefined || window.from === null
      ? null
      : `${windowText(window)}: ${countText(totals.records)} records, ${bytesText(totals.bytes)}`
  useEffect(() => {
    if (told !== null) announce(told)
  }, [told])
}
