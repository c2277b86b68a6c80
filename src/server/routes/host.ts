/** Routes: hosts and connections. */
import { z } from 'zod'
import { listJob, listRoute } from '../list-jobs.ts'
import { type Route, route } from '../route.ts'
import { headForm, ownForm } from './forms.ts'

const subjectForm = z.string().min(1).max(50)

export const hostRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/dossier',
    body: z.strictObject({ subjects: z.array(subjectForm).min(1).max(20), own: ownForm, head: headForm }),
    answer: (services, { body: { subjects, own, head } }) =>
      listJob(services, {
        ...{ kind: 'dossier', title: `Dossier of ${subjects.join(', ')}` },
        ...{ question: { subjects, own }, head },
      }),
  }),
  listRoute('dossier'),
  route({
    method: 'GET',
    path: '/api/connection/:key',
    answer: ({ work }, { params, query, signal }) =>
      work.pass('connection', { key: params['key']!, own: query.getAll('own') }, { signal }),
  }),
]
