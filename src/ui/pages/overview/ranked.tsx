/** A panel of ranked values: each a link with a menu, a bar in two parts, and its figures. */
import type { ComponentChildren, JSX } from 'preact'
import type { Count } from '../../../server/contract/common.ts'
import type { Order, Ranked, Volume } from '../../../server/contract/view.ts'
import type { Term } from '../../parts/term.ts'
import { Value } from '../../parts/value.tsx'
import { bytesText, countText, visible } from '../../text.ts'

/** What a row of a panel shows. */
export interface Shown {
  key: string
  term: Term
  /** In muted letters after the value. */
  beside?: string
  /** The parts of its bar. */
  parts: readonly [number, number]
}

interface Props<Row extends Volume> {
  title: ComponentChildren
  id: string
  /** What the values are: `host`. */
  what: string
  whats: string
  ranked: Ranked<Row>
  order: Order
  shownOf: (row: Row) => Shown
  /** What the parts of the bars are. */
  parts: readonly [string, string]
  most: number
  onMore: ((isMore: boolean) => void) | null
  isMore: boolean
  children?: ComponentChildren
}

export const rowsUsual = 12
export const rowsMost = 200

export function RankedPanel<Row extends Volume>(props: Props<Row>): JSX.Element {
  const { title, id, what, whats, ranked, order, shownOf, most, parts, children } = props
  const rows = ranked.rows.slice(0, most).map(row => ({ row, shown: shownOf(row) }))
  const longest = Math.max(1, ...rows.map(({ shown }) => shown.parts[0] + shown.parts[1]))
  const hasActions = ranked.rows.some(({ rejected }) => rejected !== null)
  return (
    <section class="panel ranked" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <span class="key">
          <i class="swatch one" /> {parts[0]} <i class={`swatch two ${parts[1]}`} /> {parts[1]}
        </span>
      </header>
      {children}
      {rows.length === 0 ? (
        <p class="muted none">No {whats} here.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{what}</th>
              <th scope="col" class="number" aria-sort={order === 'bytes' ? 'descending' : undefined}>
                bytes{order === 'bytes' && <Arrow />}
              </th>
              <th scope="col" class="number" aria-sort={order === 'records' ? 'descending' : undefined}>
                records{order === 'records' && <Arrow />}
              </th>
              {hasActions && (
                <th scope="col" class="number">
                  rejected
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ row, shown }) => (
              <Row
                key={shown.key}
                shown={shown}
                row={row}
                longest={longest}
                hasActions={hasActions}
                isMoved={parts[1] === 'received'}
              />
            ))}
          </tbody>
        </table>
      )}
      <More {...props} listed={rows.length} />
    </section>
  )
}

const Arrow = (): JSX.Element => <span aria-hidden="true"> ▼</span>

interface RowProps {
  row: Volume
  shown: Shown
  longest: number
  hasActions: boolean
  /** The parts of its bar are what was sent and received. */
  isMoved: boolean
}

function Row({ row, shown, longest, hasActions, isMoved }: RowProps): JSX.Element {
  const { term, beside, parts } = shown
  const percent = (part: number): string => `${((100 * part) / longest).toFixed(2)}%`
  return (
    <tr>
      <th scope="row" title={visible(term.text)}>
        <span class="name">
          <Value term={term} />
          {beside !== undefined && <span class="muted"> {beside}</span>}
        </span>
        <span class={isMoved ? 'bar moved' : 'bar'} aria-hidden="true">
          <i style={{ width: percent(parts[0]) }} />
          <i class="two" style={{ width: percent(parts[1]) }} />
        </span>
      </th>
      <td class="number" title={row.bytes === null ? undefined : `${countText(row.bytes)} B`}>
        {bytesText(row.bytes)}
      </td>
      <td class="number">{countText(row.records)}</td>
      {hasActions && <td class="number">{countText(row.rejected)}</td>}
    </tr>
  )
}

function More<Row extends Volume>(props: Props<Row> & { listed: number }): JSX.Element | null {
  const { ranked, listed, onMore, isMore, whats } = props
  const { of, exact } = ranked
  const isCut = of === null || Number(of) > listed
  if (!isCut && !isMore && exact) return null
  return (
    <footer>
      <span class="muted">
        {isCut ? `First ${countText(listed)} of ${of === null ? 'more' : countText(of)} ${whats}` : ''}
        {!exact && ' · not proven to be the first: shown in full when the brush is let go'}
      </span>
      {onMore !== null && (isCut || isMore) && (
        <button
          type="button"
          class="quiet"
          aria-label={`${isMore ? 'Fewer' : 'More'} ${whats}`}
          onClick={() => onMore(!isMore)}
        >
          {isMore ? 'fewer' : 'more'}
        </button>
      )}
    </footer>
  )
}

/** A count to draw with. */
export const size = (count: Count): number => Number(count ?? 0)
