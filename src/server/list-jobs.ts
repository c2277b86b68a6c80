/** Jobs whose answers have long lists: begun once for each question, and asked for their rows a page at a time. */
import { UserError } from '../errors.ts'
import type { JobState } from './contract/events.ts'
import type { WrittenLists } from './page-file.ts'
import { OwnReply, type Route, route } from './route.ts'
import type { Services } from './services.ts'

/** What a child gives: the short part of an answer, and which lists it wrote. */
export interface WithLists<Short> {
  short: Short
  lists: WrittenLists
}

interface ListQuestion {
  /** What answers it in a work process; `path` is added to the question. */
  kind: string
  title: string
  question: object
  /** Of which state of the case, as the page knows it. */
  head: string
}

const secondsMax = 24 * 3600

/** The job of a question: the one that works on it, or did while its lists are kept, else a new one. */
export function listJob(services: Services, { kind, title, question, head }: ListQuestion): JobState {
  const { downloads, jobs, lists, work } = services
  const key = JSON.stringify([kind, head, question])
  const known = joined(services, key)
  if (known !== null) return known
  const started = jobs.start({ kind, title }, async (signal, onProgress) => {
    const path = downloads.newPath('.rows')
    return downloads.writing([path], async () => {
      const options = { signal, seconds: secondsMax, onProgress, endsItself: true }
      const { short, lists: written } = (await work.ask(kind, { ...question, path }, options)) as WithLists<object>
      return { ...short, id: lists.take(path, written) }
    })
  })
  lists.noteJob(key, started.id)
  return started
}

/** The same, where it was begun and did not fail. */
export function begunJob(services: Services, { kind, question, head }: Omit<ListQuestion, 'title'>): JobState | null {
  return joined(services, JSON.stringify([kind, head, question]))
}

function joined(services: Services, key: string): JobState | null {
  const known = knownJob(services, key)
  if (known !== null) services.jobs.join(known.id)
  return known
}

function knownJob({ jobs, lists }: Services, key: string): JobState | null {
  const id = lists.jobOf(key)
  const state = id === null ? null : jobs.state(id)
  if (state === null) return null
  if (state.state === 'running' || state.state === 'waiting') return state
  if (state.state !== 'done') return null
  const made = jobs.value(state.id)?.value() as { id: string } | undefined
  return made !== undefined && lists.has(made.id) ? state : null
}

/** `GET /api/NAME/:id/:list?from&count`. */
export function listRoute(name: string): Route {
  return route({
    method: 'GET',
    path: `/api/${name}/:id/:list`,
    answer: ({ lists }, { params, query }) => {
      const page = lists.page(
        params['id']!,
        params['list']!,
        wholeOf(query.get('from'), 0),
        wholeOf(query.get('count'), 200),
      )
      if (page === null)
        throw new UserError('that list is not kept any more', { hint: 'load the page again: it is worked out again' })
      return new OwnReply(response => {
        const body = Buffer.from(page)
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
        response.end(body)
      })
    },
  })
}

function wholeOf(text: string | null, other: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : other
}
