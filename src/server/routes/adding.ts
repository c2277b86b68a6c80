/** Routes: evidence that is added from the page. */
import { z } from 'zod'
import { type Route, route } from '../route.ts'

const path = z
  .string()
  .min(1)
  .max(4096)
  .refine(text => !text.includes('\0'), 'no path')
/** Reading a large case takes hours. */
const secondsMax = 7 * 86_400

export const addingRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/add',
    body: z.strictObject({
      paths: z.array(path).min(1).max(1000),
      format: z.string().max(10_000).optional(),
      formatUnknown: z.boolean().optional(),
      maxExpandRatio: z.number().min(1).max(1e9).optional(),
      keepCopies: z.boolean().optional(),
      again: z.boolean().optional(),
    }),
    answer: ({ adding, jobs, change }, { body }) =>
      jobs.start(
        { kind: 'add', title: `add ${body.paths.join(', ')}`.slice(0, 200), lane: 'add' },
        async (signal, onProgress) => {
          const options = { signal, onProgress, endsItself: true, again: false, seconds: secondsMax }
          return change(() => adding.pass('add', body, options))
        },
      ),
  }),
  route({
    method: 'POST',
    path: '/api/paths',
    body: z.strictObject({ at: path.or(z.literal('')) }),
    answer: ({ adding }, { body, signal }) => adding.pass('paths', body, { signal, seconds: 10 }),
  }),
]
