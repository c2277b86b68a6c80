/** A list of any length: only the rows that are seen are asked for and drawn; moved by keys, one stop for Tab. */
import type { GridColumn } from './grid-column.ts'
import './table.css'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef } from 'preact/hooks'
import { AskError } from '../api.ts'
import { GridHead, useWidths } from './grid-head.tsx'
import { GridRows, type LoadRows } from './grid-rows.ts'
import { gridScale, movedRow, positionFor, rowHeight, seenRows } from './grid-scale.ts'
import { lettersOn } from './keyboard.ts'
import { isSingle, pressOf } from './keys.ts'
import { openMenu } from './menu.tsx'
import { ErrorBox } from './states.tsx'
import { narrow, opensMenu, Value } from './value.tsx'

interface Props<Row> {
  /** Widths are kept under it. */
  name: string
  /** What the rows are, for those who hear it. */
  caption: string
  columns: readonly GridColumn<Row>[]
  total: number
  /** Differs where the rows are of another question, or in another order. */
  of: string
  load: LoadRows<Row>
  sort?: string | null
  onSort?: (sort: string) => void
  /** Enter, or a double click. */
  onOpen?: (row: Row, index: number) => void
  /** The current row is another. */
  onCurrent?: (row: Row | undefined, index: number) => void
}

export function Grid<Row>(props: Props<Row>): JSX.Element {
  const { name, caption, columns, total, onCurrent } = props
  const grid = useGrid(props)
  const { shown, position, current, rows } = grid
  const widths = useWidths(name, columns)
  const id = useId()
  const { from, to } = seenRows(position, shown, total)
  useEffect(() => rows.see(from, to))
  const row = rows.at(current.row)
  useEffect(() => onCurrent?.(row, current.row), [row, current.row])
  const scale = gridScale(total, shown)
  const width = columns.reduce((sum, column) => sum + widths.of(column), 0)
  const indexes = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
  return (
    <div class="grid">
      {rows.error !== null && <RowsError error={rows.error} again={() => rows.again()} />}
      <div
        ref={grid.place}
        class="grid-scroll"
        role="grid"
        tabIndex={0}
        aria-label={caption}
        aria-rowcount={total + 1}
        aria-colcount={columns.length}
        aria-activedescendant={
          current.row >= from && current.row < to ? cellId(id, current.row, current.column) : undefined
        }
        onScroll={grid.scrolled}
        onKeyDown={event =>
          pressed(event, { props, grid, cell: cellId(id, grid.now().row, grid.now().column), resize: widths.change })
        }
      >
        <GridHead {...props} widths={widths} />
        <div class="grid-room" role="presentation" style={{ height: `${scale.room}px`, width: `${width}px` }}>
          <div class="grid-view" role="rowgroup" style={{ height: `${shown}px` }}>
            {indexes.map(index => (
              <GridRow
                key={index}
                {...{ index, columns, id, current }}
                row={rows.at(index)}
                top={index * rowHeight - position}
                widthOf={widths.of}
                onPoint={grid.point}
                onOpen={props.onOpen}
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  )
}

function cellId(id: string, row: number, column: number): string {
  return `${id}-${row}-${column}`
}

function RowsError({ error, again }: { error: unknown; again: () => void }): JSX.Element {
  const { error: text, hint } = error instanceof AskError ? error.failure : { error: String(error), hint: undefined }
  return <ErrorBox error={text} hint={hint} again={again} />
}

interface Place {
  row: number
  column: number
}

interface RowProps<Row> {
  index: number
  row: Row | undefined
  columns: readonly GridColumn<Row>[]
  id: string
  current: Place
  top: number
  widthOf: (column: GridColumn<Row>) => number
  onPoint: (place: Place) => void
  onOpen?: ((row: Row, index: number) => void) | undefined
}

function GridRow<Row>(props: RowProps<Row>): JSX.Element {
  const { index, row, columns, id, current, top, widthOf, onPoint, onOpen } = props
  const isCurrent = current.row === index
  return (
    <div
      class={row === undefined ? 'grid-row unread' : 'grid-row'}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isCurrent}
      style={{ transform: `translateY(${top}px)` }}
      onDblClick={() => row !== undefined && onOpen?.(row, index)}
    >
      {columns.map((column, i) => (
        <div
          key={column.name}
          id={cellId(id, index, i)}
          role="gridcell"
          aria-colindex={i + 1}
          class={[column.number ? 'number' : '', isCurrent && current.column === i ? 'current' : ''].join(' ')}
          style={{ width: `${widthOf(column)}px` }}
          onMouseDown={() => onPoint({ row: index, column: i })}
        >
          {row === undefined ? (i === 0 ? '…' : '') : cellOf(column, row)}
        </div>
      ))}
    </div>
  )
}

function cellOf<Row>({ cell, term }: GridColumn<Row>, row: Row): ComponentChildren {
  if (cell !== undefined) return cell(row)
  const value = term?.(row) ?? null
  return value === null ? '' : <Value term={value} untabbed />
}

/** Where the grid stands, and what moves it. */
function useGrid<Row>({ columns, total, of, load }: Props<Row>) {
  const place = useRef<HTMLDivElement>(null)
  const [, draw] = useReducer<number, undefined>(n => n + 1, 0)
  const now = useRef({ shown: 0, position: 0, current: { row: 0, column: 0 } as Place, frame: 0, own: -1 })
  const it = now.current
  const drawSoon = (): void => {
    it.frame ||= requestAnimationFrame(() => {
      it.frame = 0
      draw(undefined)
    })
  }
  const rows = useMemo(() => new GridRows(load, total, drawSoon), [of, total])
  useEffect(() => () => rows.close(), [rows])
  const scale = gridScale(total, it.shown)
  const moveTo = (position: number): void => {
    it.position = Math.max(0, Math.min(scale.last, position))
    it.own = Math.round(scale.scrollOf(it.position))
    place.current!.scrollTop = it.own
    drawSoon()
  }
  useLayoutEffect(() => {
    it.current = { row: 0, column: Math.min(it.current.column, columns.length - 1) }
    moveTo(0)
  }, [of, total])
  useLayoutEffect(() => {
    const measured = new ResizeObserver(() => {
      it.shown = Math.max(0, place.current!.clientHeight - headHeight)
      it.position = Math.min(it.position, gridScale(total, it.shown).last)
      draw(undefined)
    })
    measured.observe(place.current!)
    return () => measured.disconnect()
  }, [total])
  // Where a pixel of the bar is many rows, the wheel still goes by rows.
  useEffect(() => {
    const wheel = (event: WheelEvent): void => {
      if (!scale.scaled || event.ctrlKey || event.deltaY === 0) return
      event.preventDefault()
      moveTo(it.position + event.deltaY * [1, rowHeight, it.shown][event.deltaMode]!)
    }
    place.current!.addEventListener('wheel', wheel, { passive: false })
    return () => place.current?.removeEventListener('wheel', wheel)
  })
  const scrolled = (): void => {
    const { scrollTop } = place.current!
    if (Math.abs(scrollTop - it.own) < 2) return
    it.own = -1
    it.position = scale.positionOf(scrollTop)
    drawSoon()
  }
  const point = (current: Place): void => {
    it.current = current
    drawSoon()
  }
  const to = (next: Place): void => {
    it.current = next
    moveTo(positionFor(next.row, it.position, it.shown))
  }
  const { shown, position, current } = it
  return { place, rows, shown, position, current, scrolled, point, to, now: () => it.current }
}

/** What a key does in the grid. */
function pressed<Row>(event: KeyboardEvent, { props, grid, cell, resize }: Pressed<Row>): void {
  if (event.target !== grid.place.current) return
  const { columns, total, onOpen } = props
  const { row: index, column: i } = grid.now()
  const press = pressOf(event)
  const key = lettersOn.value || !isSingle(press) ? press : ''
  const row = grid.rows.at(index)
  const column = columns[i]!
  const across = key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0
  const next = movedRow(key, index, total, Math.floor(grid.shown / rowHeight))
  if (next !== null || across !== 0) {
    act(event, () => grid.to({ row: next ?? index, column: Math.max(0, Math.min(columns.length - 1, i + across)) }))
  } else if (key === '<' || key === '>') act(event, () => resize(column, key === '<' ? -16 : 16))
  else if (row === undefined) return
  else if (key === 'Enter' && onOpen !== undefined) act(event, () => onOpen(row, index))
  else {
    const term = column.term?.(row) ?? null
    if (term === null) return
    if (opensMenu(event)) act(event, () => openMenu(term, document.getElementById(cell) ?? grid.place.current!))
    else if (key === 'f' || key === 'x') act(event, () => narrow(term, key === 'f'))
  }
}

interface Pressed<Row> {
  props: Props<Row>
  grid: ReturnType<typeof useGrid<Row>>
  /** Of the current cell. */
  cell: string
  resize: (column: GridColumn<Row>, by: number) => void
}

const headHeight = 28

function act(event: KeyboardEvent, does?: () => unknown): void {
  event.preventDefault()
  event.stopPropagation()
  does?.()
}
