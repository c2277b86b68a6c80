/** The answer of a query: its rows, and all of the chosen one; or its plan. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { SqlAnswer, SqlCell } from '../../server/contract/sql.ts'
import { isNumeric, sqlExtent, sqlTerm, sqlText } from '../sql-cells.ts'
import { visible } from '../text.ts'
import { Grid } from './grid.tsx'
import type { GridColumn } from './grid-column.ts'
import { Value } from './value.tsx'

type Row = readonly SqlCell[]

export function SqlResult({ answer, isOld }: { answer: SqlAnswer; isOld: boolean }): JSX.Element {
  const [row, choose] = useState<Row | undefined>(undefined)
  const { columns, rows, plan } = answer
  if (plan !== null) return <pre class="sql-plan">{plan.split('\n').map(visible).join('\n')}</pre>
  return (
    <div class={isOld ? 'shown old' : 'shown'}>
      <p class="muted" role="status">
        {sqlExtent(answer)}
      </p>
      {rows.length > 0 && (
        <div class="sql-result" style={{ height: `${Math.min(heightMax, heightOf(rows.length))}px` }}>
          <Grid<Row>
            name="sql"
            caption="Rows of the answer"
            columns={columns.map((column, i) => gridColumn(column, i, rows))}
            total={rows.length}
            of="rows"
            load={(offset, count) => Promise.resolve(rows.slice(offset, offset + count))}
            onCurrent={choose}
          />
        </div>
      )}
      {row !== undefined && (
        <section class="panel" aria-label="The chosen row">
          <header>
            <h2>The chosen row</h2>
          </header>
          <dl class="sql-row">
            {columns.map(({ name, type }, i) => (
              <>
                <dt title={type}>{visible(name)}</dt>
                <dd>
                  <Cell column={{ name, type }} cell={row[i] ?? null} />
                </dd>
              </>
            ))}
          </dl>
        </section>
      )}
    </div>
  )
}

const heightMax = 440

/** Of the grid: its head, rows, and a bar to scroll it sideways. */
function heightOf(rows: number): number {
  return 28 + 24 * rows + 20
}

/** Most characters of a cell of the grid. */
const cellMax = 300
const [widthMin, widthMax, characterWidth] = [72, 320, 9]

function gridColumn(column: SqlAnswer['columns'][number], at: number, rows: readonly Row[]): GridColumn<Row> {
  const { name, type } = column
  const longest = rows.slice(0, 100).reduce((most, row) => Math.max(most, sqlText(row[at] ?? null).length), name.length)
  const cellOf = (row: Row): SqlCell => row[at] ?? null
  return {
    name: `${at} ${name}`,
    title: visible(name),
    hint: type,
    number: isNumeric(type),
    width: Math.max(widthMin, Math.min(widthMax, 20 + longest * characterWidth)),
    term: row => sqlTerm(column, cellOf(row)),
    cell: row => <Cell column={column} cell={cellOf(row)} most={cellMax} />,
  }
}

interface CellProps {
  column: SqlAnswer['columns'][number]
  cell: SqlCell
  most?: number
}

function Cell({ column, cell, most = Number.POSITIVE_INFINITY }: CellProps): JSX.Element {
  if (cell === null) return <span class="null">NULL</span>
  const text = sqlText(cell)
  const term = sqlTerm(column, cell)
  if (term !== null)
    return (
      <Value term={term} untabbed={most < Number.POSITIVE_INFINITY}>
        {text}
      </Value>
    )
  return <span>{text.length > most ? `${text.slice(0, most)}…` : text}</span>
}
