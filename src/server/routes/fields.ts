/** Routes: values of every field. */
import { z } from 'zod'
import { valuesMax } from '../contract/fields.ts'
import { fewValuesOf } from '../few-values.ts'
import { type Route, route } from '../route.ts'
import { viewForm, windowForm } from './forms.ts'

/** Values that a card shows at first: those of all cards are asked for together. */
const cardMost = 20

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
    answer: async (services, { body, signal }) => {
      const { field, ...ask } = body
      const few = ask.top <= cardMost ? await fewValuesOf(services, ask, signal) : {}
      return Object.hasOwn(few, field) ? few[field] : services.work.pass('field', body, { signal })
    },
  }),
]
