/** Routes: records, a page at a time. */
import { z } from 'zod'
import { rowOrders, rowsMax } from '../contract/flows.ts'
import { type Route, route } from '../route.ts'
import { viewForm, windowForm } from './forms.ts'

const count = z.number().int().min(0)

const rowsForm = { ...viewForm, ...windowForm, order: z.enum(rowOrders) }

export const flowsRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/rows',
    body: z.strictObject({ ...rowsForm, offset: count.max(2 ** 53 - 1), limit: count.max(rowsMax) }),
    answer: async ({ work, view }, { body, signal }) => {
      // By time the index knows the rows at any depth, once it is there.
      const found = body.order === 'start' ? await view.ask('rows found', body, { signal }) : null
      return found === null
        ? work.pass('rows', body, { signal })
        : work.pass('rows at', { ask: body, found }, { signal })
    },
  }),
]
