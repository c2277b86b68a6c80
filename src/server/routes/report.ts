/** Routes: the report. */
import { statSync } from 'node:fs'
import { z } from 'zod'
import type { ReportAnswer, ReportAsk, ReportFormat } from '../contract/report.ts'
import { disposition } from '../downloads.ts'
import { Refused } from '../failure.ts'
import { type KeptReport, sendPreview, sent } from '../reports.ts'
import { OwnReply, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import type { ReportTask } from '../work/report.ts'
import { longestSeconds, ownForm, portsForm, subjectsForm } from './forms.ts'

const form: z.ZodType<ReportAsk> = z.strictObject({
  ...{ subjects: subjectsForm, controls: z.boolean(), notes: z.boolean() },
  ...{ approved_ports: portsForm.nullable(), own: ownForm },
})

const types: Readonly<Record<ReportFormat, string>> = {
  html: 'text/html; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  json: 'application/json',
}

export const reportRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/report',
    body: form,
    answer: (services, { body }) => startReport(services, body),
  }),
  route({
    method: 'GET',
    path: '/api/preview/:id',
    answer: (services, { params }) => {
      const { preview } = keptReport(services, params['id']!)
      return new OwnReply(response => sendPreview(response, preview))
    },
  }),
  route({
    method: 'GET',
    path: '/api/report/:id/:format',
    answer: (services, { params }) => {
      const { paths, files } = keptReport(services, params['id']!)
      const { format } = params as { format: ReportFormat }
      if (!Object.hasOwn(types, format)) throw new Refused(404, 'there is no such format')
      return new OwnReply(response => {
        const head = { 'content-type': types[format], 'content-length': statSync(paths[format]).size }
        response.writeHead(200, { ...head, 'content-disposition': disposition(files[format].name) })
        return sent(response, paths[format])
      })
    },
  }),
]

function keptReport({ reports }: Services, id: string): KeptReport {
  const kept = reports.get(id)
  if (kept === null) throw new Refused(404, 'that report is not kept any more', 'make it again')
  return kept
}

function startReport({ jobs, work, downloads, reports }: Services, asked: ReportAsk) {
  const paths = { html: downloads.newPath('.html'), md: downloads.newPath('.md'), json: downloads.newPath('.json') }
  const preview = downloads.newPath('.html')
  const made = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const task: ReportTask = { ...asked, paths, preview, made }
  const who = asked.subjects.length === 0 ? 'the whole case' : asked.subjects.slice(0, 3).join(', ')
  return jobs.start({ kind: 'report', title: `Report on ${who}` }, async (signal, onProgress) => {
    const options = { signal, onProgress, seconds: longestSeconds, endsItself: true }
    return downloads.writing([...Object.values(paths), preview], async () => {
      const answer = (await work.ask('report', task, options)) as Omit<ReportAnswer, 'id'>
      return { id: reports.keep({ paths, preview, files: answer.files }), ...answer } satisfies ReportAnswer
    })
  })
}
