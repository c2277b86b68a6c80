/** Routes: what would have stopped it. */
import { z } from 'zod'
import type { ControlsAsk, TryAsk } from '../contract/controls.ts'
import { type Route, route } from '../route.ts'
import { longestSeconds, ownForm, portsForm, subjectsForm } from './forms.ts'

const common = { subjects: subjectsForm, own: ownForm, at: z.string().max(50).nullable() }
const ask: z.ZodType<ControlsAsk> = z.strictObject({ ...common, approved_ports: portsForm.nullable() })
const tryAsk: z.ZodType<TryAsk> = z.strictObject({
  ...common,
  files: z.array(z.strictObject({ name: z.string().min(1).max(200), text: z.string() })).max(20),
  paths: z.array(z.string().min(1).max(4096)).max(20),
})

export const controlsRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/controls',
    body: ask,
    answer: ({ jobs, work }, { body }) => {
      const against = body.subjects.length === 0 ? 'those that are found to act' : body.subjects.slice(0, 3).join(', ')
      return jobs.start({ kind: 'controls', title: `Controls against ${against}` }, (signal, onProgress) =>
        work.pass('controls', body, { signal, onProgress, seconds: longestSeconds }),
      )
    },
  }),
  route({
    method: 'POST',
    path: '/api/controls/try',
    body: tryAsk,
    answer: ({ jobs, work }, { body }) =>
      jobs.start({ kind: 'try-rules', title: 'Trial of your rules' }, (signal, onProgress) =>
        work.pass('try-rules', body, { signal, onProgress, seconds: longestSeconds }),
      ),
  }),
]
