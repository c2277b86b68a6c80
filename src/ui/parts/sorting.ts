/** The order of a table's rows, as the address has it: `bytes`, or `-bytes` for the largest first. No DOM here. */

export interface Sortable<Row> {
  name: string
  sort?: (row: Row) => number | bigint | string | null
}

/** Numbers are asked for from the largest. */
export function nextSort({ name, number }: { name: string; number?: boolean }, sort: string | null): string {
  if (sort === name) return `-${name}`
  return sort === `-${name}` || !number ? name : `-${name}`
}

/** Unknown comes last, whichever way; what is equal stays as it came. */
export function inOrder<Row>(
  rows: readonly Row[],
  columns: readonly Sortable<Row>[],
  sort: string | null,
): readonly Row[] {
  if (sort === null) return rows
  const down = sort.startsWith('-')
  const by = columns.find(({ name }) => name === (down ? sort.slice(1) : sort))?.sort
  if (by === undefined) return rows
  const keyed = rows.map(row => ({ row, key: by(row) }))
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null)
    const order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0
    return down ? -order : order
  })
  return keyed.map(({ row }) => row)
}
