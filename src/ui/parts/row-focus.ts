/** Moves the focus to the next row of a table, or the one before. */

/** False: there is no table. */
export function rowFocus(step: 1 | -1): boolean {
  const active = document.activeElement
  const row = active?.closest<HTMLTableRowElement>('tbody tr') ?? null
  if (row === null) {
    const first = document.querySelector<HTMLTableRowElement>('main tbody tr')
    return first !== null && focusIn(first, 0)
  }
  const column = [...row.cells].findIndex(cell => cell.contains(active))
  for (let next = sibling(row, step); next !== null; next = sibling(next, step)) if (focusIn(next, column)) return true
  return true
}

function sibling(row: Element, step: 1 | -1): HTMLTableRowElement | null {
  const next = step === 1 ? row.nextElementSibling : row.previousElementSibling
  return next instanceof HTMLTableRowElement ? next : null
}

/** In the same column, else the first of the row that can be focused. */
function focusIn(row: HTMLTableRowElement, column: number): boolean {
  const usable = 'a[href], button:not(:disabled)'
  const target = row.cells[column]?.querySelector<HTMLElement>(usable) ?? row.querySelector<HTMLElement>(usable)
  target?.focus()
  return target !== null
}
