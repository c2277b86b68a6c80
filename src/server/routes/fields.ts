/** Routes: values of every field. */
import { z } from 'zod'
import { valuesMax } from '../contract/fields.ts'
import { type Route, route } from '../route.ts'
import { viewForm, windowForm } from './forms.ts'

export const fieldsRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/fields',
    answer: ({ work }, { signal }) => work.pass('fields', {}, { signal }),
  }),
  route({
    method: 'POST',
    path: '/api/field',
    body: z.strictObject({
      ...viewForm,
      ...windowForm,
      field: z.string().max(200),
      top: z.number().int().min(1).max(valuesMax),
    }),
    answer: ({ work }, { body, signal }) => work.pass('field', body, { signal }),
  }),
]
