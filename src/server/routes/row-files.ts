/** Routes: rows as files, made by jobs. */
import { z } from 'zod'
import type { JobState } from '../contract/events.ts'
import { type OfferedFile, type PacketsFile, rowFileFormats } from '../contract/files.ts'
import { rowOrders } from '../contract/flows.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { filterText, ownForm, viewForm, windowForm } from './forms.ts'

const types = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  pcapng: 'application/octet-stream',
} as const

/** Writing millions of rows takes minutes. */
const secondsMax = 3600

const service = z.strictObject({
  client: z.string().max(50),
  server: z.string().max(50),
  port: z.number().int().min(0).max(65_535).nullable(),
  protocol: z.number().int().min(0).max(255).nullable(),
})

/** `FindingPackets`. */
const findingForm = z.strictObject({
  services: z.array(service).min(1).max(100),
  first_start: z.iso.datetime(),
  last_end: z.iso.datetime(),
})

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
    path: '/api/packets/file',
    body: z.strictObject({
      name: z.string().regex(/^[\w.-]{1,100}$/),
      own: ownForm,
      of: z.union([z.strictObject({ filter: filterText }), findingForm]),
    }),
    answer: ({ jobs, work, downloads }, { body }) => {
      const name = `packets-${body.name}.pcapng`
      return jobs.start({ kind: 'packets-file', title: name }, async (signal, onProgress): Promise<PacketsFile> => {
        const path = downloads.newPath('.pcapng')
        const options = { signal, seconds: secondsMax, onProgress, endsItself: true }
        return downloads.writing([path], async () => {
          const made = await work.ask('packets-file', { ...body, name, path }, options)
          return { ...(made as PacketsFile), ...downloads.offer(path, name, types.pcapng) }
        })
      })
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
