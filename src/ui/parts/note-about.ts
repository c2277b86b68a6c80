/** What a note is about, from where the page stands. No DOM here. */
import type { NoteAbout } from '../../server/contract/notes.ts'
import { windowText } from '../text.ts'
import type { ViewState } from '../url.ts'

const kinds: Readonly<Record<string, NoteAbout['kind']>> = { host: 'host', connection: 'connection', record: 'record' }

export function aboutOf(state: ViewState): NoteAbout {
  const [, first = '', ...rest] = state.path.split('/')
  const kind = kinds[first]
  if (kind !== undefined && rest.length > 0) return { kind, text: short(decoded(rest)) }
  return { kind: 'view', text: viewName(state) }
}

/** `Flows: dst port 8889, 2023-09-28 19:00:00 to 20:00:00 UTC`. */
export function viewName({ path, filter, from, to }: ViewState): string {
  const [, first = '', ...rest] = path.split('/')
  const title = [titles[first] ?? capital(first), ...rest.map(part => decoded([part]))].join(' ')
  const window = from === null && to === null ? '' : windowText({ from, to })
  const parts = [filter.trim(), window].filter(part => part !== '')
  return short(parts.length === 0 ? title : `${title}: ${parts.join(', ')}`)
}

const titles: Readonly<Record<string, string>> = { '': 'Overview', sql: 'SQL' }

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
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
