/** The help of commands in the width of the terminal. */
import { wrap } from '../report/text.ts'

/** Below that, lines are as long as they are: nothing could be read. */
const widthMin = 40
/** An option or an example, and what it is about. */
const described = /^( +\S.*?) {2,}(\S.*)$/

/**
 * Breaks lines that are too long, but for commands of examples, which are there to be copied. What an example is about goes below it where it
 * has no room beside it.
 */
export function wrapHelp(text: string, width: number): string {
  if (width < widthMin) return text
  return joined(text.split('\n'))
    .flatMap(line => wrapped(line, width))
    .join('\n')
}

/** A sentence that goes on in the next line is one line: it would break where it was broken in wider text. */
function joined(lines: readonly string[]): string[] {
  const paragraphs: string[] = []
  for (const line of lines) {
    const last = paragraphs.at(-1)
    const goesOn = last !== undefined && /^\S.*[^.:]$/.test(last) && /^\S/.test(line)
    if (goesOn) paragraphs[paragraphs.length - 1] = `${last} ${line}`
    else paragraphs.push(line)
  }
  return paragraphs
}

function wrapped(line: string, width: number): string[] {
  if (line.length <= width) return [line]
  const [, command, about] = described.exec(line) ?? []
  if (command !== undefined && about !== undefined)
    return [...wrapped(command, width), ...hung(about, width, '      ', '      ')]
  if (/^ +tidemark /.test(line)) return [line]
  const margin = /^ */.exec(line)![0]
  return hung(line.trimStart(), width, margin, margin === '' ? '' : `${margin}    `)
}

function hung(text: string, width: number, first: string, next: string): string[] {
  return wrap(text, width - next.length).map((part, i) => (i === 0 ? first : next) + part)
}
