/** The view is the URL: every state of a page that somebody may want to keep, or to send to another. No DOM here. */

export type Measure = 'bytes' | 'packets' | 'records'
const measures: readonly Measure[] = ['bytes', 'packets', 'records']

export interface ViewState {
  /** `/`, `/hosts`, `/host/10.0.0.1`, … */
  path: string
  /** The filter, as it was typed. */
  filter: string
  /** What is brushed, and what the timeline shows: seconds since 1970, UTC; null: all. */
  from: number | null
  to: number | null
  zoomFrom: number | null
  zoomTo: number | null
  measure: Measure
  /** Filters that are kept beside the bar. */
  pins: string[]
  /** Whether every record counts as the sensors wrote it. */
  raw: boolean
  sort: string | null
  columns: string[] | null
  /** What a page keeps of its own, by names that begin with `_`. */
  own: Record<string, string>
}

export const firstState: ViewState = {
  path: '/',
  filter: '',
  from: null,
  to: null,
  zoomFrom: null,
  zoomTo: null,
  measure: 'bytes',
  pins: [],
  raw: false,
  sort: null,
  columns: null,
  own: {},
}

/** What is not understood is left out. */
export function readUrl(path: string, search: string): ViewState {
  const query = new URLSearchParams(search)
  const measure = measures.find(one => one === query.get('m')) ?? firstState.measure
  const own = Object.fromEntries([...query].filter(([name]) => name.startsWith('_')))
  return {
    path,
    filter: query.get('q') ?? '',
    from: secondOf(query.get('from')),
    to: secondOf(query.get('to')),
    zoomFrom: secondOf(query.get('z0')),
    zoomTo: secondOf(query.get('z1')),
    measure,
    pins: query.getAll('p'),
    raw: query.get('raw') === '1',
    sort: query.get('sort'),
    columns:
      query
        .get('cols')
        ?.split(',')
        .filter(name => name !== '') ?? null,
    own,
  }
}

export function urlOf(state: ViewState): string {
  const query = new URLSearchParams()
  const put = (name: string, value: string | null): void => {
    if (value !== null && value !== '') query.append(name, value)
  }
  put('q', state.filter)
  put('from', timeOf(state.from))
  put('to', timeOf(state.to))
  put('z0', timeOf(state.zoomFrom))
  put('z1', timeOf(state.zoomTo))
  if (state.measure !== firstState.measure) put('m', state.measure)
  for (const pin of state.pins) put('p', pin)
  if (state.raw) put('raw', '1')
  put('sort', state.sort)
  put('cols', state.columns?.join(',') ?? null)
  for (const [name, value] of Object.entries(state.own)) put(name, value)
  const text = query.toString()
  return text === '' ? state.path : `${state.path}?${text}`
}

/** Seconds of a time such as 2023-09-28T19:32:36Z. */
function secondOf(text: string | null): number | null {
  if (text === null || !/^-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return null
  const milliseconds = Date.parse(text)
  return Number.isFinite(milliseconds) ? milliseconds / 1000 : null
}

function timeOf(second: number | null): string | null {
  return second === null ? null : new Date(second * 1000).toISOString().replace('.000Z', 'Z')
}
