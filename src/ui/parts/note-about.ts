/** What a note is about, from where the page stands. No DOM here. */
import type { NoteAbout } from '../../server/contract/notes.ts'
import { timeText } from '../text.ts'
import type { ViewState } from '../url.ts'

const kinds: Readonly<Record<string, NoteAbout['kind']>> = { host: 'host', connection: 'connection', record: 'record' }

/** @param title of the page, as the rail has it. */
export function aboutOf(state: ViewState, title: string): NoteAbout {
  const [, first = '', ...rest] = state.path.split('/')
  const kind = kinds[first]
  if (kind !== undefined && rest.length > 0) return { kind, text: short(decoded(rest)) }
  return { kind: 'view', text: viewName(state, title) }
}

/** `Flows: dst port 8889, 2023-09-28 19:00:00 to 20:00:00 UTC`. */
export function viewName({ filter, from, to }: ViewState, title: string): string {
  const parts = [filter.trim(), windowText(from, to)].filter(part => part !== '')
  return short(parts.length === 0 ? title : `${title}: ${parts.join(', ')}`)
}

function windowText(from: number | null, to: number | null): string {
  if (from === null && to === null) return ''
  if (from === null) return `before ${timeText(to)} UTC`
  if (to === null) return `from ${timeText(from)} UTC`
  const [begin, end] = [timeText(from), timeText(to)]
  const sameDay = begin.slice(0, 10) === end.slice(0, 10)
  return `${begin} to ${sameDay ? end.slice(11) : end} UTC`
}

/** `logs/a.gz:12` of a file and a line. */
function decoded(parts: readonly string[]): string {
  return parts
    .map(part => {
      try {
        return decodeURIComponent(part)
      } catch {
        return part
      }
    })
    .join(':')
}

const charactersMax = 1000

function short(text: string): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`
}
