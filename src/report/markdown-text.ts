/** Texts in Markdown (CommonMark with tables, as GitHub has it): whatever they hold, they are read as texts. */
import { visible } from './text.ts'

/** What a reader may make a link of though nobody wrote one, or an emphasis that no backslash ends: such words stand as code. */
const linkLike = /\S*(?:@|:\/\/|www\.|#\d)\S*/gi
const special = /[\\`*_[\]<>#|~$&]/g
const entities: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' }

/** A text on a line of Markdown, not at its beginning: `atBeginning` makes it fit for that. */
export function markdownText(text: string): string {
  const seen = visible(text)
  let done = 0
  const parts: string[] = []
  for (const { 0: word, index } of seen.matchAll(linkLike)) {
    parts.push(escaped(seen.slice(done, index)), markdownCode(word))
    done = index + word.length
  }
  return [...parts, escaped(seen.slice(done))].join('')
}

function escaped(text: string): string {
  return text.replace(special, character => entities[character] ?? `\\${character}`)
}

/** A line that begins a paragraph, an item or a cell: no list, no rule, no heading, no code by its spaces. */
export function atBeginning(line: string): string {
  return line
    .trimStart()
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2')
    .replace(/^([-+=])/, '\\$1')
}

/** A text as it is, within a line. A bar would end a cell of a table in code too, so it stands between two pieces of code. */
export function markdownCode(text: string): string {
  return visible(text).split('|').map(codeSpan).join('\\|')
}

function codeSpan(text: string): string {
  const fence = '`'.repeat(longestRun(text) + 1)
  // A space at both ends is taken away again.
  return text === '' ? '' : `${fence}${/^[ `]|[ `]$/.test(text) ? ` ${text} ` : text}${fence}`
}

/** Lines as they are. */
export function markdownFence(text: string): string {
  const lines = text.split('\n').map(visible)
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1))
  return [fence, ...lines, fence].join('\n')
}

/** The longest run of backquotes. */
function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0)
}
