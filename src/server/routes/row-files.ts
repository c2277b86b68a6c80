/** Routes: rows as files, made by jobs. */
import { z } from 'zod'
import type { JobState } from '../contract/events.ts'
import { type OfferedFile, rowFileFormats } from '../contract/files.ts'
import { rowOrders } from '../contract/flows.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { viewForm, windowForm } from './forms.ts'

const types = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  pcapng: 'application/octet-stream',
} as const

/** Writing millions of rows takes minutes. */
const secondsMax = 3600

export const rowFileRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/rows/file',
    body: z.strictObject({
      ...viewForm,
      ...windowForm,
      order: z.enum(rowOrders),
      format: z.enum(rowFileFormats),
    }),
    answer: (services, { body }) => {
      const name = body.format === 'pcapng' ? 'packets' : 'flows'
      return fileJob(services, 'rows-file', name, body, secondsMax)
    },
  }),
  route({
    method: 'POST',
    path: '/api/sql/file',
    body: z.strictObject({
      sql: z.string().max(1_000_000),
      seconds: z.number().int().min(1).max(secondsMax),
      format: z.enum(['csv', 'ndjson']),
    }),
    answer: (services, { body }) => fileJob(services, 'sql-file', 'query', body, body.seconds + 60),
  }),
]

function fileJob(
  { jobs, work, downloads }: Services,
  kind: string,
  name: string,
  question: { format: keyof typeof types },
  seconds: number,
): JobState {
  const { format } = question
  return jobs.start({ kind, title: `${name}.${format}` }, async (signal, onProgress): Promise<OfferedFile> => {
    const path = downloads.newPath(`.${format}`)
    return downloads.writing([path], async () => {
      await work.ask(kind, { ...question, path }, { signal, seconds, onProgress, endsItself: true })
      return downloads.offer(path, `${name}.${format}`, types[format])
    })
  })
}
