/** A table of up to a few hundred rows, which can be sorted by each of its columns. */
import './table.css'
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Count } from '../../server/contract/common.ts'
import { inOrder, nextSort } from './sorting.ts'
import { Cut } from './states.tsx'

export interface Column<Row> {
  /** In the address, and as a key. */
  name: string
  title: ComponentChildren
  /** What the title means, where it is short. */
  hint?: string
  number?: boolean
  cell: (row: Row) => ComponentChildren
  /** What it is sorted by; without it, it is not. Null comes last. */
  sort?: (row: Row) => number | bigint | string | null
}

interface Props<Row> {
  /** What the table is of, for those who hear it; shown with `showCaption`. */
  caption: string
  showCaption?: boolean
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  /** `bytes`, or `-bytes` for the largest first; what is null is as the rows come. Without `onSort` the table keeps it itself. */
  sort?: string | null
  onSort?: (sort: string) => void
  /** How many there are in all, where `rows` are the first of them; and what they are. */
  of?: Count
  what?: string
  rowClass?: (row: Row) => string
}

export function Table<Row>(props: Props<Row>): JSX.Element {
  const { caption, showCaption = false, columns, rows, rowKey, of, what = 'rows', rowClass } = props
  const [ownSort, keepSort] = useState<string | null>(null)
  const sort = props.onSort === undefined ? (ownSort ?? props.sort ?? null) : (props.sort ?? null)
  const sorted = props.onSort === undefined ? inOrder(rows, columns, sort) : rows
  return (
    <>
      <div class="scroll">
        <table class="table">
          <caption class={showCaption ? undefined : 'aside'}>{caption}</caption>
          <thead>
            <tr>
              {columns.map(column => (
                <Head key={column.name} column={column} sort={sort} onSort={props.onSort ?? keepSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.map(row => (
              <tr key={rowKey(row)} class={rowClass?.(row)}>
                {columns.map(({ name, number, cell }) => (
                  <td key={name} class={number ? 'number' : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {of !== undefined && <Cut shown={rows.length} of={of} what={what} />}
    </>
  )
}

interface HeadProps<Row> {
  column: Column<Row>
  sort: string | null
  onSort: (sort: string) => void
}

function Head<Row>({ column, sort, onSort }: HeadProps<Row>): JSX.Element {
  const { name, title, hint, number } = column
  const down = sort === `-${name}`
  const up = sort === name
  const look = number ? 'number' : undefined
  if (column.sort === undefined)
    return (
      <th scope="col" class={look} title={hint}>
        {title}
      </th>
    )
  return (
    <th scope="col" class={look} title={hint} aria-sort={down ? 'descending' : up ? 'ascending' : 'none'}>
      <button type="button" class="sort" onClick={() => onSort(nextSort(column, sort))}>
        {title}
        <span class="arrow" aria-hidden="true">
          {down ? '▼' : up ? '▲' : ''}
        </span>
      </button>
    </th>
  )
}
