/** Routes: files of the case, what is taken out of it, and whether it is as its ledger says. */
import { z } from 'zod'
import { fileChoices, fileOrders } from '../contract/evidence.ts'
import { type Route, route } from '../route.ts'

const offset = z.number().int().min(0).max(1e9)
const count = z.number().int().min(1).max(500)
/** A large case is checked for hours. */
const secondsMax = 7 * 86_400

export const evidenceRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/evidence',
    body: z.strictObject({
      ...{ offset, count },
      order: z.enum(fileOrders),
      descending: z.boolean(),
      text: z.string().max(4096),
      only: z.enum(fileChoices),
    }),
    answer: ({ work }, { body, signal }) => work.pass('evidence', body, { signal }),
  }),
  route({
    method: 'POST',
    path: '/api/problems',
    body: z.strictObject({ ...{ offset, count }, path: z.string().max(100_000) }),
    answer: ({ work }, { body, signal }) => work.pass('problems', body, { signal }),
  }),
  route({
    method: 'POST',
    path: '/api/verify',
    body: z.strictObject({}),
    answer: ({ checking, jobs }) =>
      jobs.start({ kind: 'verify', title: 'check the case against its ledger' }, (signal, onProgress) =>
        checking.pass('verify', {}, { signal, onProgress, again: false, seconds: secondsMax }),
      ),
  }),
  route({
    method: 'POST',
    path: '/api/remove',
    body: z.strictObject({
      files: z.array(z.string().min(1).max(100_000)).min(1).max(1000),
      undo: z.boolean(),
      reason: z.string().max(10_000),
    }),
    answer: ({ adding, change }, { body }) => change(() => adding.pass('remove', body, { again: false })),
  }),
]
