/** A table as the formatter writes it. Cells have no unescaped bars. */
export function table(header: string[], rows: string[][]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)))
  const rule = widths.map(width => '-'.repeat(width))
  const padded = [header, rule, ...rows].map(cells => cells.map((cell, i) => cell.padEnd(widths[i]!)))
  return padded.map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
