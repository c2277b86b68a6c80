/** Routes: what is written for other tools. */
import { z } from 'zod'
import type { ExportAnswer, ExportAsk } from '../contract/exports.ts'
import { type ExportTask, exportExtensions } from '../export-names.ts'
import { type Route, route } from '../route.ts'
import { filterText, longestSeconds, ownForm, subjectsForm, windowForm } from './forms.ts'

const form: z.ZodType<ExportAsk> = z.strictObject({
  to: z.enum(['ocsf', 'ecs', 'stix', 'sigma', 'guardduty', 'csv', 'ndjson', 'conn-log']),
  what: z.enum(['records', 'connections', 'findings', 'all']),
  ...{ filter: filterText, own: ownForm, of: subjectsForm, notes: z.boolean() },
  ...{ from: windowForm.from, until: windowForm.to },
})

export const exportsRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/export',
    body: form,
    answer: ({ jobs, work, downloads }, { body }) => {
      const path = downloads.newPath(exportExtensions[body.to])
      const task: ExportTask = { ...body, path }
      return jobs.start({ kind: 'export', title: `Export as ${body.to}` }, async (signal, onProgress) => {
        const options = { signal, onProgress, seconds: longestSeconds, endsItself: true }
        return downloads.writing([path], async () => {
          const answer = (await work.ask('export', task, options)) as Omit<ExportAnswer, 'download'>
          const download = downloads.offer(path, `${body.what}-${body.to}${exportExtensions[body.to]}`)
          return { ...answer, download } satisfies ExportAnswer
        })
      })
    },
  }),
]
