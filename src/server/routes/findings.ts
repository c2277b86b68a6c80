/** Routes: what detect finds. */
import { z } from 'zod'
import type { JobState } from '../contract/events.ts'
import type { FindingsAnswer, FindingsState } from '../contract/findings.ts'
import { begunJob, listJob, listRoute } from '../list-jobs.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { headForm, ownForm } from './forms.ts'

const title = 'Looking for who behaves like an attacker'

/** The job that looks for them: the one that there is, or a new one. */
export function startFindings(services: Services, own: string[], head: string): JobState {
  return listJob(services, { kind: 'findings', title, question: { own }, head })
}

export const findingsRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/findings',
    body: z.strictObject({ own: ownForm, head: headForm }),
    answer: (services, { body: { own, head } }) => startFindings(services, own, head),
  }),
  route({
    method: 'GET',
    path: '/api/findings',
    answer: (services, { query }): FindingsState => {
      const question = { own: query.getAll('own') }
      const job = begunJob(services, { kind: 'findings', question, head: query.get('head') ?? '' })
      const isDone = job?.state === 'done'
      return { job, found: isDone ? (services.jobs.value(job.id)?.value() as FindingsAnswer) : null }
    },
  }),
  listRoute('findings'),
]
