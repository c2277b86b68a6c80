/** What goes on: events, and jobs that are told of by them. */
import type { ServerEvent } from '../contract/events.ts'
import { Refused } from '../failure.ts'
import { JsonText, toLine } from '../json-line.ts'
import { OwnReply, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

export const jobRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/events',
    answer: services => new OwnReply(response => services.events.listen(response, whatHolds(services))),
  }),
  route({
    method: 'GET',
    path: '/api/job/:id',
    answer: ({ jobs }, { params }) => {
      const job = jobs.state(params['id']!)
      if (job === null) throw new Refused(404, 'that job is not kept any more', 'start it again')
      const value = jobs.value(job.id)
      const [start, end] = [`{"job":${toLine(job)},"value":`, '}']
      return new JsonText(Buffer.concat([Buffer.from(start), value?.bytes ?? Buffer.from('null'), Buffer.from(end)]))
    },
  }),
  route({
    method: 'POST',
    path: '/api/job/:id/stop',
    answer: ({ jobs }, { params }) => {
      jobs.stop(params['id']!)
      return {}
    },
  }),
  route({
    method: 'POST',
    path: '/api/job/:id/leave',
    answer: ({ jobs }, { params }) => {
      jobs.leave(params['id']!)
      return {}
    },
  }),
]

function whatHolds({ state, jobs }: Services): ServerEvent[] {
  const newer = state.toTell()
  return [
    { event: 'case-changed', head: state.loaded, loaded: true },
    ...(newer === null ? [] : [{ event: 'case-changed', head: newer, loaded: false } as const]),
    { event: 'jobs', ids: jobs.all().map(({ id }) => id) },
    ...jobs.all().map(job => ({ event: 'job', job }) as const),
  ]
}
