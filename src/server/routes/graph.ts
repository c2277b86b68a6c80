/** Routes: who sent what to whom. */
import { z } from 'zod'
import { type Route, route } from '../route.ts'
import { viewForm, windowForm } from './forms.ts'
import { fromIndex } from './from-index.ts'

export const graphRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/graph',
    body: z.strictObject({
      view: z.strictObject(viewForm),
      window: z.strictObject(windowForm),
      measure: z.enum(['bytes', 'packets', 'records']),
      open: z.array(z.string().max(64)).max(20),
    }),
    answer: (services, { body, signal }) => fromIndex(services, 'graph', body, signal),
  }),
]
