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
  return text
    .split('\n')
    .flatMap(line => wrapped(line, width))
    .join('\n')
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
