/** Tables for a terminal, and what becomes of them where it is too narrow. */
import { type Block, type Column, plainText, type Row } from './block.ts'
import { listText } from './names.ts'
import { hangingLines, indent, type Page, shown, styled } from './terminal-page.ts'
import { displayWidth, pad, visible } from './text.ts'

/** Cells between columns, and what stands before the text below a row. */
const gap = 2
const below = '      '
/** Below that many cells the rows of a table that leaves columns out are prose. */
export const tableWidthMin = 60

/** A row whose texts are ready for the terminal. */
interface Ready {
  cells: string[]
  detail: string
  above: string
}

/** Which columns of a table stand beside each other, and how wide they are. Absent widths: none do, each row is a small block. */
interface Layout {
  chosen: readonly number[]
  widths: readonly number[] | null
}

/**
 * Columns as wide as what stands in them. On a page too narrow for that, columns that may be left out are; those that may hang
 * stand below their row; if that is still too wide, each row becomes a small block.
 */
export function tableLines(page: Page, { columns, rows }: Extract<Block, { block: 'table' }>): string[] {
  const printer = new TablePrinter(page, columns)
  return [...printer.lines(rows), ...printer.end()]
}

/** A table that is printed in parts, with the columns of the first part as long as the others fit. */
export class TablePrinter {
  private readonly page: Page
  private readonly heads: readonly Column[]
  private layout: Layout | null = null

  constructor(page: Page, columns: readonly Column[]) {
    this.page = page
    this.heads = columns.map(column => ({ ...column, title: visible(column.title) }))
  }

  /** The next rows, after the titles where these are the first or need other columns. */
  lines(rows: readonly Row[]): string[] {
    const { page, heads } = this
    const ready = readyRows(page, rows)
    const before = this.layout
    const kept = before === null ? null : this.grown(before, ready)
    const layout = kept ?? this.chosenFor(ready)
    this.layout = layout
    if (layout.widths === null) return ready.flatMap(row => [...aboveLines(page, row), ...rowBlock(page, heads, row)])
    const body = ready.flatMap(row => [
      ...aboveLines(page, row),
      gridLine(layout.chosen.map((i, n) => pad(row.cells[i] ?? '', layout.widths![n]!, heads[i]!.align))),
      ...this.belowRow(row, layout.chosen),
    ])
    return kept === null ? [this.titles(layout.chosen, layout.widths), ...body] : body
  }

  /** What the page had no room for. */
  end(): string[] {
    const { layout, heads, page } = this
    if (layout === null || layout.widths === null || !this.leavesOut()) return []
    const left = heads.filter((_, i) => !layout.chosen.includes(i)).map(({ title }) => title)
    return left.length === 0 ? [] : ['', ...hangingLines(page, `Not shown at this width: ${listText(left)}.`)]
  }

  private leavesOut(): boolean {
    return this.heads.some(({ drops }) => drops !== undefined)
  }

  /** The same columns, wider where these rows need it; null: they do not fit. */
  private grown({ chosen, widths }: Layout, rows: readonly Ready[]): Layout | null {
    if (widths === null) return { chosen, widths }
    const wider = widthsOf(this.heads, rows, chosen).map((width, n) => Math.max(width, widths[n]!))
    return totalWidth(wider) <= this.page.width ? { chosen, widths: wider } : null
  }

  private chosenFor(rows: readonly Ready[]): Layout {
    const { heads, page } = this
    for (const chosen of this.choices()) {
      const widths = widthsOf(heads, rows, chosen)
      if (totalWidth(widths) <= page.width) return { chosen, widths }
    }
    return { chosen: [], widths: null }
  }

  /** Choices of columns, the best first. */
  private choices(): number[][] {
    const { heads, page } = this
    const all = heads.map((_, i) => i)
    if (!this.leavesOut()) return [all, all.filter(i => heads[i]!.hangs !== true)]
    if (page.width < tableWidthMin) return []
    const ranks = [...new Set(heads.flatMap(({ drops }) => drops ?? []))].sort((a, b) => b - a)
    return [all, ...ranks.map(rank => all.filter(i => (heads[i]!.drops ?? -1) < rank))]
  }

  private belowRow(row: Ready, chosen: readonly number[]): string[] {
    const hung = this.leavesOut() ? '' : named(this.heads, row.cells, i => !chosen.includes(i))
    const detail = sentence([hung, row.detail])
    return detail === '' ? [] : hangingLines(this.page, detail, below)
  }

  private titles(chosen: readonly number[], widths: readonly number[]): string {
    return titleLine(
      this.page,
      chosen.map(i => this.heads[i]!),
      widths,
    )
  }
}

function readyRows(page: Page, rows: readonly Row[]): Ready[] {
  const labels = rows.map(row => visible(plainText(row.label ?? '')))
  const width = labels.reduce((most, label) => Math.max(most, displayWidth(label)), 0)
  return rows.map((row, n) => {
    const lead = width === 0 ? '' : `${pad(labels[n]!, width)}  `
    return {
      cells: row.cells.map((cell, i) => (i === 0 ? lead : '') + shown(page, cell)),
      detail: shown(page, row.detail ?? ''),
      above: shown(page, row.above ?? ''),
    }
  })
}

function aboveLines(page: Page, { above }: Ready): string[] {
  return above === '' ? [] : hangingLines(page, above)
}

function widthsOf(heads: readonly Column[], rows: readonly Ready[], chosen: readonly number[]): number[] {
  return chosen.map(i =>
    rows.reduce((most, row) => Math.max(most, displayWidth(row.cells[i] ?? '')), displayWidth(heads[i]!.title)),
  )
}

export function gridLine(cells: readonly string[]): string {
  return `${' '.repeat(indent)}${cells.join(' '.repeat(gap)).trimEnd()}`
}

export function titleLine(page: Page, heads: readonly Column[], widths: readonly number[]): string {
  return gridLine(
    heads.map(({ title, align }, i) => {
      const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(title)))
      const text = styled(title, page.colors.underline)
      return align === 'right' ? space + text : text + space
    }),
  )
}

export function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, indent + gap * (widths.length - 1))
}

function rowBlock(page: Page, heads: readonly Column[], row: Ready): string[] {
  const rest = sentence([named(heads, row.cells, i => i > 0), row.detail])
  return [...hangingLines(page, row.cells[0] ?? ''), ...(rest === '' ? [] : hangingLines(page, rest, below))]
}

/** Cells in a row of words, each after its column's title; apart by `;` where one of them has commas itself. */
function named(heads: readonly Column[], cells: readonly string[], chosen: (i: number) => boolean): string {
  const texts = heads
    .map(({ title }, i) => (chosen(i) && cells[i] ? `${title} ${cells[i]}` : ''))
    .filter(text => text !== '')
  return texts.join(texts.some(text => text.includes(', ')) ? '; ' : ', ')
}

function sentence(parts: string[]): string {
  return parts.filter(part => part !== '').join('; ')
}
