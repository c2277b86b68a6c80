/** Items as Tidemark names them, one JSON object a line; `kind` says what it is. */
import { utcSeconds } from '../net/time.ts'
import type { Printer } from './items.ts'
import { jsonText } from './json-text.ts'

export function ndjsonPrinter(): Printer {
  return {
    record: record => `${jsonText({ kind: 'record', ...record })}\n`,
    connection: ({ start_us, end_us, ...rest }) =>
      `${jsonText({ kind: 'connection', ...rest, start: utcSeconds(start_us), end: utcSeconds(end_us) })}\n`,
    finding: finding => `${jsonText({ kind: 'finding', ...finding })}\n`,
  }
}
