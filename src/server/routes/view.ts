/** Routes: what the charts and panels show, from the time index. */
import { z } from 'zod'
import { type Route, route } from '../route.ts'
import { viewForm, windowForm } from './forms.ts'
import { fromIndex } from './from-index.ts'

const view = z.strictObject(viewForm)
const window = z.strictObject(windowForm)
const order = z.enum(['bytes', 'records'])
const top = z.number().int().min(1).max(200)

/** Seconds that judging may take. */
const judgingMost_s = 4 * 3600

export const viewRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/view',
    body: z.strictObject({
      ...{ view, zoom: window },
      ...{ measure: z.enum(['bytes', 'packets', 'records']), stack: z.enum(['ports', 'actions', 'ways']) },
    }),
    answer: (services, { body, signal }) => fromIndex(services, 'timeline', body, signal),
  }),
  route({
    method: 'POST',
    path: '/api/range',
    body: z.strictObject({ view, window, order, top, complete: z.boolean() }),
    answer: (services, { body, signal }) => fromIndex(services, 'range', body, signal),
  }),
  route({
    method: 'POST',
    path: '/api/hosts',
    body: z.strictObject({ view, window, order: z.enum(['bytes', 'records', 'sent', 'received']), top }),
    answer: (services, { body, signal }) => fromIndex(services, 'hosts', body, signal),
  }),
  route({
    method: 'POST',
    path: '/api/panels',
    body: z.strictObject({ view, window, order, top }),
    answer: ({ work }, { body, signal }) => work.pass('panels', body, { signal }),
  }),
  route({
    method: 'POST',
    path: '/api/why',
    body: z.strictObject({ view, window }),
    answer: ({ work }, { body, signal }) => work.pass('why', body, { signal }),
  }),
  route({
    method: 'POST',
    path: '/api/services',
    body: z.strictObject({ view, window, order, top }),
    answer: ({ work }, { body, signal }) => work.pass('services', body, { signal, seconds: 600 }),
  }),
  route({
    method: 'POST',
    path: '/api/judged',
    body: z.strictObject({ own: viewForm.own }),
    answer: ({ work }, { body, signal }) => work.pass('judged', body, { signal }),
  }),
  route({
    method: 'POST',
    path: '/api/judge',
    body: z.strictObject({ own: viewForm.own }),
    answer: ({ work, jobs }, { body }) =>
      jobs.start({ kind: 'judge', title: 'Who connected to whom' }, (signal, onProgress) =>
        work.ask('judge', body, { signal, onProgress, seconds: judgingMost_s }),
      ),
  }),
  route({
    method: 'GET',
    path: '/api/gaps',
    answer: ({ work }, { signal }) => work.pass('gaps', {}, { signal }),
  }),
]
