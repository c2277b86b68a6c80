/** What goes on: events, and jobs that are told of by them. */
import { UserError } from '../../errors.ts'
import { OwnReply, type Route, route } from '../route.ts'

export const jobRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/events',
    answer: ({ events, jobs }) =>
      new OwnReply(response => {
        events.listen(
          response,
          jobs.all().map(job => ({ event: 'job', job })),
        )
      }),
  }),
  route({
    method: 'GET',
    path: '/api/job/:id',
    answer: ({ jobs }, { params }) => {
      const state = jobs.state(params['id']!)
      if (state === null) throw gone()
      return { job: state, value: state.state === 'done' ? jobs.value(state.id) : null }
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
]

function gone(): UserError {
  return new UserError('that job is not kept any more', { hint: 'start it again' })
}
