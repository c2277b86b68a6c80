/** The case as a whole, and the filter bar. */
import { z } from 'zod'
import { version } from '../../version.ts'
import type { NoCaseAnswer } from '../contract/case.ts'
import { type Route, route } from '../route.ts'
import { filterText, viewForm } from './forms.ts'

export const caseRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/case',
    answer: ({ work, demo, internal, caseDir, state }, { signal }) => {
      if (state.hasCase()) return work.pass('case', { demo, internal }, { signal, brief: true })
      return { none: true, case: caseDir, tool: { name: 'Tidemark', version: version() } } satisfies NoCaseAnswer
    },
  }),
  route({
    method: 'POST',
    path: '/api/reload',
    body: z.strictObject({}),
    answer: async ({ reload, state }) => {
      await reload()
      return { head: state.loaded }
    },
  }),
  route({
    method: 'POST',
    path: '/api/complete',
    body: z.strictObject({ text: z.string().max(100_000), cursor: z.number().int().min(0).max(100_000) }),
    answer: ({ work }, { body, signal }) => work.pass('complete', body, { signal, seconds: 600, brief: true }),
  }),
  route({
    method: 'POST',
    path: '/api/explain',
    body: z.strictObject(viewForm),
    answer: ({ work }, { body, signal }) => work.pass('explain', body, { signal, seconds: 30, brief: true }),
  }),
  route({
    method: 'POST',
    path: '/api/swap',
    body: z.strictObject({ filter: filterText }),
    answer: ({ work }, { body, signal }) => work.pass('swap', body, { signal, seconds: 30, brief: true }),
  }),
]
