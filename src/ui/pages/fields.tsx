/** Every field of the records: how many values it has, which are the most frequent, and which records have none. Nothing is sampled. */
import './fields.css'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type FieldAnswer, type FieldAsk, type FieldsAnswer, valuesMax } from '../../server/contract/fields.ts'
import type { FieldColumn } from '../../server/contract/flows.ts'
import { get, post, useAnswer, viewAsk, windowOf } from '../api.ts'
import { useAsked } from '../parts/asked.ts'
import { plainDoc } from '../parts/doc.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { Value } from '../parts/value.tsx'
import { cellTerm, cellText } from '../record-cells.ts'
import { state } from '../state.ts'
import { countText, visible } from '../text.ts'

const topFirst = 10

export function FieldsPage(): JSX.Element {
  const answer = useAnswer<FieldsAnswer>('fields', signal => get('/api/fields', signal))
  return (
    <>
      <div class="page-head">
        <h1>Fields</h1>
        <span class="muted">
          {state.value.raw ? 'Every record counts, as the sensors wrote it.' : 'What several sensors saw counts once.'}{' '}
          All records are read, none is sampled.
        </span>
      </div>
      <Shown of={answer} what="the fields">
        {({ present, absent }) => (
          <>
            <div class="fields">
              {present.map(column => (
                <FieldCard key={column.name} column={column} />
              ))}
            </div>
            {absent.length > 0 && <AbsentFields absent={absent} />}
          </>
        )}
      </Shown>
    </>
  )
}

function FieldCard({ column }: { column: FieldColumn }): JSX.Element {
  const own = useRef<HTMLElement>(null)
  const [top, show] = useState(topFirst)
  const wanted: FieldAsk = { ...viewAsk(state.value), ...windowOf(state.value), field: column.name, top }
  const key = useSeen(own, JSON.stringify(wanted))
  const answer = useAnswer<FieldAnswer>(key, signal => post('/api/field', wanted, signal))
  return (
    <section ref={own} class={`panel field-card${top > topFirst ? ' many' : ''}`} aria-label={column.title}>
      <header title={plainDoc(column.doc)}>
        <h2>
          {visible(column.title)}
          <code>{visible(column.name)}</code>
        </h2>
      </header>
      <Shown of={answer} what={`values of ${column.name}`}>
        {value => <Values answer={value} column={column} top={top} show={show} />}
      </Shown>
    </section>
  )
}

/** What is wanted, once the part has been in view since it was wanted; null before. */
function useSeen(own: { current: Element | null }, wanted: string): string | null {
  const [inView, tell] = useState(false)
  const asked = useRef<string | null>(null)
  useEffect(() => {
    const watching = new IntersectionObserver(entries => tell(entries.at(-1)?.isIntersecting ?? false), {
      rootMargin: '200px',
    })
    watching.observe(own.current!)
    return () => watching.disconnect()
  }, [])
  if (inView) asked.current = wanted
  return asked.current
}

interface ValuesProps {
  answer: FieldAnswer
  column: FieldColumn
  top: number
  show: (top: number) => void
}

function Values({ answer, column, top, show }: ValuesProps): JSX.Element {
  const { values, distinct, records, absent, unknown } = answer
  useAsked(top > topFirst ? answer.asked : null)
  if (records === 0) return <Empty>No record matches.</Empty>
  const most = Number(values[0]?.records ?? 0)
  const rows = Number(distinct) + (absent === 0 ? 0 : 1)
  return (
    <>
      <p class="facts-line">
        <span>{countText(distinct)} different</span>
        {absent !== 0 && <span>{countText(absent)} records without</span>}
        {unknown !== 0 && (
          <span title="of these records it cannot be told whether they match">{countText(unknown)} undecided</span>
        )}
        <Extent answer={answer} column={column} />
      </p>
      <table>
        <caption class="aside">Values of {visible(column.title)} by records</caption>
        <colgroup>
          <col />
          <col class="count" />
        </colgroup>
        <tbody>
          {values.map(({ value, records: count }) => (
            <tr key={String(value)}>
              <td
                class={value === null ? 'unknown' : undefined}
                title={value === null ? undefined : visible(String(value))}
              >
                <span class="bar" style={{ width: `${(100 * Number(count)) / most}%` }} />
                <span>
                  <Value term={cellTerm(column, value)}>{value === null ? 'unknown' : cellText(column, value)}</Value>
                </span>
              </td>
              <td class="number">{countText(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="foot">
        <span>{values.length < rows ? `First ${countText(values.length)} of ${countText(rows)}` : ''}</span>
        {(rows > topFirst || top > topFirst) && (
          <button
            type="button"
            class="quiet"
            aria-label={`${top > topFirst ? 'Fewer' : 'More'} values of ${column.title}`}
            onClick={() => show(top > topFirst ? topFirst : valuesMax)}
          >
            {top > topFirst ? 'Fewer' : 'More'}
          </button>
        )}
      </div>
    </>
  )
}

/** From the least to the most, where that says something. */
function Extent({ answer, column }: { answer: FieldAnswer; column: FieldColumn }): JSX.Element | null {
  const { least, median, most } = answer
  if (least === null || most === null) return null
  const text = (cell: typeof least): string => cellText(column, cell)
  return (
    <span>
      {text(least)} to {text(most)}
      {median !== null && `, median ${text(median)}`}
    </span>
  )
}

function AbsentFields({ absent }: { absent: FieldsAnswer['absent'] }): JSX.Element {
  return (
    <details class="absent-fields panel">
      <summary class="panel-head">
        <strong>{countText(absent.length)} fields are absent</strong>
        <span class="muted">flow logs may have them; none of these files was written with them</span>
      </summary>
      <dl>
        {absent.map(({ name, title, version, doc }) => (
          <>
            <dt>
              {title} <code>{name}</code>
            </dt>
            <dd>{version === 6 ? 'Transit Gateway' : `version ${version}`}</dd>
            <dd>{doc}</dd>
          </>
        ))}
      </dl>
    </details>
  )
}
