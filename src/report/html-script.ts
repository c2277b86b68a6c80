/** Comfort for who has scripts: tables in another order, commands copied, folded parts open on paper. Nothing is missing without. */
export const script = String.raw`
'use strict'
const keyOf = cell => {
  const text = cell.textContent.trim()
  const number = /^[≥]?\s*(-?[\d,]+(?:\.\d+)?)(?:\s|$)/.exec(text)
  return number === null ? text : Number(number[1].replaceAll(',', ''))
}
const compare = (a, b) =>
  typeof a === 'number' && typeof b === 'number' ? a - b : typeof a === typeof b ? a.localeCompare(b) : typeof a === 'number' ? -1 : 1
const sortBy = (table, heading) => {
  const down = heading.getAttribute('aria-sort') === 'ascending'
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort')
  heading.setAttribute('aria-sort', down ? 'descending' : 'ascending')
  const rows = [...table.tBodies[0].rows].filter(row => !row.classList.contains('more'))
  const keyed = rows.map(row => [keyOf(row.cells[heading.cellIndex]), row, row.nextElementSibling])
  keyed.sort((a, b) => (down ? compare(b[0], a[0]) : compare(a[0], b[0])))
  for (const [, row, next] of keyed) table.tBodies[0].append(row, ...(next?.classList.contains('more') ? [next] : []))
}
for (const table of document.querySelectorAll('table.sortable')) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement('button')
    button.type = 'button'
    button.append(...heading.childNodes)
    button.addEventListener('click', () => sortBy(table, heading))
    heading.append(button)
  }
}
for (const box of document.querySelectorAll('.command')) {
  const code = box.querySelector('code')
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent)
      button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(code)
      button.textContent = 'Selected'
    }
  })
  box.append(button)
}
addEventListener('beforeprint', () => {
  for (const part of document.querySelectorAll('details:not([open], .screen)')) {
    part.open = true
    part.dataset.opened = ''
  }
})
addEventListener('afterprint', () => {
  for (const part of document.querySelectorAll('details[data-opened]')) {
    part.open = false
    delete part.dataset.opened
  }
})
`
