/** Rows of tables of text. */

/** The cells of a row (RFC 4180): those in quotes may have the separator in them, and a quote as two. */
export function cellsOf(row: string, separator: string): string[] {
  if (!row.includes('"')) return row.split(separator).map(cell => cell.trim())
  const cells: string[] = []
  for (let at = 0; at <= row.length; ) {
    let start = at
    while (row[start] === ' ') start++
    if (row[start] === '"') {
      let end = start + 1
      for (; end < row.length; end++) {
        if (row[end] !== '"') continue
        if (row[end + 1] !== '"') break
        end++
      }
      const next = row.indexOf(separator, end)
      cells.push(
        row
          .slice(start + 1, end)
          .replaceAll('""', '"')
          .trim(),
      )
      at = next < 0 ? row.length + 1 : next + 1
    } else {
      const next = row.indexOf(separator, at)
      cells.push(row.slice(at, next < 0 ? undefined : next).trim())
      at = next < 0 ? row.length + 1 : next + 1
    }
  }
  return cells
}
