/**
 * Text for a terminal. Whatever comes from evidence passes through `visible` first; after that the
 * only escape sequences in a text are our own colours, which count no width.
 */
export { hidden, visible } from '../visible.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with ESC.
const colour = /\u001b\[\d+(?:;\d+)*m/g

const narrow = /^[\u0020-\u007e]*$/

// Combining marks, and the vowels and finals of Hangul syllables written in parts.
const zeroWidth = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7ff]/u

// East_Asian_Width W and F. Emoji that are pictures by default are wide; a flag is two letters of one cell each.
const wide =
  /[\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|(?![\u{1f1e6}-\u{1f1ff}])\p{Emoji_Presentation}/u

/** Cells that the text takes on a terminal; for text that is visible. */
export function displayWidth(text: string): number {
  if (narrow.test(text)) return text.length
  let width = 0
  for (const character of plain(text)) width += cells(character)
  return width
}

/** The text without our colours. */
export function plain(text: string): string {
  return text.includes('\u001b') ? text.replace(colour, '') : text
}

function cells(character: string): number {
  if (narrow.test(character)) return 1
  if (zeroWidth.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

/** Fills up to `width` cells on the right, or on the left for `align` 'right'. Longer text stays as it is. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return align === 'left' ? text + fill : fill + text
}

/** The text in at most `width` cells, an ellipsis at the place of what was cut. Drops colours when it cuts. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  return width < 1 ? '' : `${takeCells(plain(text), width - 1)}…`
}

/** The end of the text in at most `width` cells, an ellipsis before it where something was cut. For text without colours. */
export function truncateStart(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let used = 1
  let end = ''
  for (const character of [...text].reverse()) {
    used += cells(character)
    if (used > width) break
    end = character + end
  }
  return `…${end}`
}

/** The longest beginning of the text that fits, with the marks that belong to its last character. */
function takeCells(text: string, width: number): string {
  let used = 0
  let end = 0
  for (const character of text) {
    used += cells(character)
    if (used > width) break
    end += character.length
  }
  return text.slice(0, end)
}

// Not before a unit or an arrow, coloured or not: `12 MiB` and `a → b` stay together.
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with ESC.
const breakable = / +(?!(?:\u001b\[\d+m)*(?:B|[KMGTPE]iB|%|s|min|h|d|→|–|=)(?: |[^\p{L}\p{N}]|$))/u

/**
 * Breaks a text into lines of at most `width` cells: at spaces, and within a word only when the word alone is
 * longer than a line. Line breaks are for the caller to split at before.
 */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(1, width)
  const lines: string[] = []
  let line = ''
  for (const piece of text.split(breakable)) {
    const joined = line === '' ? piece : `${line} ${piece}`
    if (displayWidth(joined) <= room) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    const broken = breakWord(piece, room)
    line = broken.pop() ?? ''
    for (const part of broken) lines.push(part)
  }
  if (line !== '' || lines.length === 0) lines.push(line)
  return lines
}

/** Cuts what no space divides. A coloured word that must be cut loses its colour. */
function breakWord(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word]
  const parts: string[] = []
  for (let rest = plain(word); rest !== ''; ) {
    // A wide character on a line of one cell must go somewhere.
    const part = takeCells(rest, width) || String.fromCodePoint(rest.codePointAt(0) ?? 0x20)
    parts.push(part)
    rest = rest.slice(part.length)
  }
  return parts
}
