/** The titles of a grid's columns, and which there are, how wide. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { GridColumn } from './grid-column.ts'
import { Icon } from './icons.tsx'
import { keep, kept } from './kept.ts'
import { Opener } from './opener.tsx'
import { nextSort } from './sorting.ts'

export interface Widths<Row> {
  of: (column: GridColumn<Row>) => number
  change: (column: GridColumn<Row>, by: number) => void
}

const [widthMin, widthMax] = [40, 1600]

/** Kept in the browser under the grid's name. */
export function useWidths<Row>(name: string, columns: readonly GridColumn<Row>[]): Widths<Row> {
  const [widths, set] = useState<Readonly<Record<string, number>>>(() => readWidths(kept(`widths.${name}`)))
  const of = (column: GridColumn<Row>): number => widths[column.name] ?? column.width
  return {
    of,
    change: (column, by) =>
      set(before => {
        const width = Math.max(widthMin, Math.min(widthMax, (before[column.name] ?? column.width) + by))
        const next = { ...before, [column.name]: width }
        const own = Object.entries(next).filter(([one]) => columns.some(({ name }) => name === one))
        keep(`widths.${name}`, JSON.stringify(Object.fromEntries(own)))
        return next
      }),
  }
}

function readWidths(text: string | null): Record<string, number> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    const entries = Object.entries(value as Record<string, unknown>)
    return Object.fromEntries(
      entries.flatMap(([name, width]) =>
        typeof width === 'number' && width >= widthMin && width <= widthMax ? [[name, width]] : [],
      ),
    )
  } catch {
    return {}
  }
}

interface HeadProps<Row> {
  columns: readonly GridColumn<Row>[]
  widths: Widths<Row>
  sort?: string | null
  onSort?: (sort: string) => void
}

export function GridHead<Row>({ columns, widths, sort = null, onSort }: HeadProps<Row>): JSX.Element {
  return (
    <div class="grid-head" role="row" aria-rowindex={1}>
      {columns.map((column, i) => (
        <div
          key={column.name}
          role="columnheader"
          aria-colindex={i + 1}
          aria-sort={sortOf(column.name, sort)}
          class={column.number ? 'number' : ''}
          title={column.hint}
          style={{ width: `${widths.of(column)}px` }}
        >
          {column.sortable && onSort !== undefined ? (
            <button type="button" class="sort" onClick={() => onSort(nextSort(column, sort))}>
              {column.title}
              <span class="arrow" aria-hidden="true">
                {sort === `-${column.name}` ? '▼' : sort === column.name ? '▲' : ''}
              </span>
            </button>
          ) : (
            column.title
          )}
          <Edge onMove={by => widths.change(column, by)} />
        </div>
      ))}
    </div>
  )
}

function sortOf(name: string, sort: string | null): 'ascending' | 'descending' | undefined {
  return sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : undefined
}

/** Dragged to make a column wider; by keys it is `<` and `>` in the grid. */
function Edge({ onMove }: { onMove: (by: number) => void }): JSX.Element {
  return (
    <span
      class="grid-edge"
      aria-hidden="true"
      onPointerDown={event => {
        event.preventDefault()
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={event => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) onMove(event.movementX)
      }}
    />
  )
}

interface ChooserProps {
  columns: readonly { name: string; title: string; hint?: string }[]
  /** Names, in the order in which they are shown. */
  shown: readonly string[]
  /** Null: as at first. */
  onChange: (shown: string[] | null) => void
}

export function ColumnChooser({ columns, shown, onChange }: ChooserProps): JSX.Element {
  return (
    <Opener
      name="Columns"
      class=""
      label={
        <>
          <Icon name="columns" /> Columns
        </>
      }
    >
      {() => (
        <fieldset class="chooser">
          <legend class="aside">Columns</legend>
          {columns.map(({ name, title, hint }) => (
            <label key={name} class="check" title={hint}>
              <input
                type="checkbox"
                checked={shown.includes(name)}
                disabled={shown.length === 1 && shown[0] === name}
                onChange={event =>
                  onChange(event.currentTarget.checked ? [...shown, name] : shown.filter(one => one !== name))
                }
              />
              {title}
            </label>
          ))}
          <button type="button" onClick={() => onChange(null)}>
            As at first
          </button>
        </fieldset>
      )}
    </Opener>
  )
}
