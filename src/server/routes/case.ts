/** The case as a whole, and the filter bar. */
import { z } from 'zod'
import { type Route, route } from '../route.ts'
import { filterText, viewForm } from './forms.ts'

export const caseRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/case',
    answer: ({ work, demo }, { signal }) => work.ask('case', { demo }, { signal }),
  }),
  route({
    method: 'POST',
    path: '/api/complete',
    body: z.strictObject({ text: z.string().max(100_000), cursor: z.number().int().min(0).max(100_000) }),
    answer: ({ work }, { body, signal }) => work.ask('complete', body, { signal, seconds: 30 }),
  }),
  route({
    method: 'POST',
    path: '/api/explain',
    body: z.strictObject(viewForm),
    answer: ({ work }, { body, signal }) => work.ask('explain', body, { signal, seconds: 30 }),
  }),
  route({
    method: 'POST',
    path: '/api/swap',
    body: z.strictObject({ filter: filterText }),
    answer: ({ work }, { body, signal }) => work.ask('swap', body, { signal, seconds: 30 }),
  }),
]
