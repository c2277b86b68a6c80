/** One column for each point that recorded a connection; what is not the same everywhere is marked. */
import type { JSX } from 'preact'
import type { VantageColumn } from '../../server/contract/connection.ts'
import { visible } from '../text.ts'
import { partCovered, vantageRows } from '../vantages.ts'

export function Vantages({ columns }: { columns: readonly VantageColumn[] }): JSX.Element {
  const rows = vantageRows(columns)
  return (
    <>
      <div class="scroll">
        <table class="table vantages">
          <caption class="aside">The connection as each point recorded it</caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="aside">figure</span>
              </th>
              {columns.map((column, i) => (
                <th key={i} scope="col" title={visible(column.name ?? '')}>
                  {nameOf(column)}
                  {partCovered(column, columns) !== null && (
                    <span class="muted"> has {partCovered(column, columns)}: not compared</span>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, cells, differs }) => (
              <tr key={name}>
                <th scope="row">
                  {name}
                  {differs && columns.length > 1 && <span class="muted"> (≠)</span>}
                </th>
                {cells.map((cell, i) => (
                  <td key={i} class={`number${differs ? ' differs' : ''}`}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {columns.length === 1 && <p class="muted">Only one point recorded it: there is nothing to compare with.</p>}
      {columns.some(({ kind }) => kind === 'packets') && columns.some(({ kind }) => kind === 'logs') && (
        <p class="muted">Logs and captures count the same traffic: they are compared, never added.</p>
      )}
    </>
  )
}

function nameOf({ name, kind, counted }: VantageColumn): string {
  const short = name === null ? 'no sensor named' : kind === 'packets' ? name.split('/').at(-1)! : name
  return `${visible(short)}${counted ? '' : ' (not counted)'}`
}
