/** What the prompt tells of itself, from the tables of views and functions. */
import { ownFunctions } from './functions.ts'
import { views } from './schema.ts'

export const promptHelp = `Write a query and end it with ; over one line or several.

  .tables          the views
  .schema NAME     the columns of a view
  .functions       functions for addresses, names and flags
  .quit            leave, also Ctrl-D; Ctrl-C stops the query that runs

  SELECT ip(srcaddr), sum(bytes) FROM flows WHERE in_net(dstaddr, '10.0.0.0/8') GROUP BY ALL ORDER BY 2 DESC LIMIT 10;`

export function tablesText(): string {
  return aligned(views.map(({ name, doc }) => [name, doc]))
}

/** The columns of a view, or null where there is none of that name. */
export function schemaText(name: string, present: readonly string[] = []): string | null {
  const view = views.find(one => one.name === name.toLowerCase())
  if (view === undefined) return null
  const known = new Set(view.columns.map(column => column.name))
  const others = present
    .filter(column => !known.has(column))
    .map(column => [column, 'VARCHAR', 'A field of the logs that has no name here.'])
  return `${view.name}: ${view.doc}\n\n${aligned([...view.columns.map(({ name: own, type, doc }) => [own, type, doc]), ...others])}`
}

export function functionsText(): string {
  return aligned(ownFunctions.map(({ call, returns, doc }) => [call, returns, doc]))
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  return rows.map(row => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd()).join('\n')
}
