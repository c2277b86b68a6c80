/** The printer for Markdown: blocks to a text that people read as it is, and programs make pages of. */
import { type Block, type Inline, inlines, type Part, type Row, type Table, type Text } from './block.ts'
import { barsTable } from './html.ts'
import { atBeginning, markdownCode, markdownFence, markdownText } from './markdown-text.ts'

export function markdownPageText(blocks: readonly Block[]): string {
  return `${partsOf(blocks, 3).join('\n\n')}\n`
}

/** @param level of a heading within a section. */
function partsOf(blocks: readonly Block[], level: number): string[] {
  return blocks.flatMap(block => parts(block, level))
}

function parts(block: Block, level: number): string[] {
  switch (block.block) {
    case 'title':
      return [`# ${line(block.text)}`]
    case 'heading':
      return [`${'#'.repeat(block.depth === undefined ? 2 : level)} ${line(block.text)}`]
    case 'paragraph':
      return paragraph(block.text)
    case 'note':
      return [`> **Note:** ${line(block.text)}.`]
    case 'warning':
      return [`> ${strong(line(block.text))}`]
    case 'list':
      return block.items.length === 0 ? [] : [block.items.map(item => `- ${atBeginning(line(item))}`).join('\n')]
    case 'facts':
      return [
        block.facts.map(({ name, values }) => `- ${markdownText(name)}: ${values.map(line).join('; ')}`).join('\n'),
      ]
    case 'table':
      return [tableText(block)]
    case 'sheet':
      return [
        tableText({
          ...{ block: 'table', columns: block.columns },
          rows: block.rows.map(row => ({ cells: row.map(cell => cell ?? 'null') })),
        }),
        ...block.below.flatMap(paragraph),
      ]
    case 'bars':
      return [tableText(barsTable(block))]
    case 'figure':
      return [strong(markdownText(block.title)), ...paragraph(block.description), tableText(block.data)]
    case 'quotes':
      return block.lines.flatMap(({ where, text }) => [atBeginning(line(where)), markdownFence(text.text)])
    case 'code':
      return [markdownFence(block.text)]
    case 'entry': {
      const badge = block.badge === undefined ? '' : ` (${line(block.badge.text)})`
      return [
        `${'#'.repeat(level)} ${line(block.label)} ${line(block.title)}${badge}`,
        ...partsOf(block.body, level + 1),
      ]
    }
    case 'inset':
    case 'shared-paths':
      return partsOf(block.body, level)
    case 'fold':
      return [strong(markdownText(block.title)), ...partsOf(block.body, level)]
    case 'either':
      return partsOf(block.wide, level)
    case 'gap':
      return []
  }
}

function paragraph(text: Text): string[] {
  const words = atBeginning(line(text))
  return words === '' ? [] : [words]
}

function line(text: Text): string {
  // Two pieces of code without anything between them would be one.
  return inlines(text)
    .map(inlineText)
    .reduce((before, next) => (before.endsWith('`') && next.startsWith('`') ? `${before} ${next}` : before + next), '')
}

function inlineText(inline: Inline): string {
  return typeof inline === 'string' ? markdownText(inline) : partText(inline)
}

function partText({ kind, text }: Part): string {
  if (kind === 'struck') return text.trim() === '' ? '' : `~~${markdownText(text).trim()}~~`
  if (kind === 'strong' || kind === 'alarm' || kind === 'good') return strong(markdownText(text))
  return kind === 'command' || kind === 'path' ? markdownCode(text) : markdownText(text)
}

/** Nothing where there is no text: four asterisks would be four asterisks. */
function strong(words: string): string {
  return words.trim() === '' ? '' : `**${words.trim()}**`
}

function tableText({ columns, rows, caption }: Table): string {
  const hasLabels = rows.some(row => row.label !== undefined)
  const titles = [...(hasLabels ? ['id'] : []), ...columns.map(({ title }) => markdownText(title))]
  const rules = [...(hasLabels ? ['---'] : []), ...columns.map(({ align }) => (align === 'right' ? '---:' : '---'))]
  const lines = [titles, rules, ...rows.flatMap(row => rowCells(row, hasLabels, columns.length))].map(
    cells => `| ${cells.join(' | ')} |`,
  )
  return [...(caption === undefined ? [] : [`${atBeginning(markdownText(caption))}:`, '']), ...lines].join('\n')
}

function rowCells({ label, cells, above, detail }: Row, hasLabels: boolean, columns: number): string[][] {
  const own = cells.map((cell, at) =>
    line(at === 0 && detail !== undefined ? [...inlines(cell), ' (', ...inlines(detail), ')'] : cell),
  )
  const first = hasLabels ? [label === undefined ? '' : line(label)] : []
  const width = columns + first.length
  const over = above === undefined ? [] : [[line(above), ...Array<string>(width - 1).fill('')]]
  return [...over, [...first, ...own]]
}
