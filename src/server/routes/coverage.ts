/** Routes: when which sensor recorded. */
import { z } from 'zod'
import { type Route, route } from '../route.ts'
import { windowForm } from './forms.ts'

export const coverageRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/coverage',
    body: z.strictObject({
      zoom: z.strictObject(windowForm),
      bins: z.number().int().min(1).max(400),
      sensors: z.number().int().min(1).max(500),
    }),
    answer: ({ work }, { body, signal }) => work.pass('coverage', body, { signal }),
  }),
]
