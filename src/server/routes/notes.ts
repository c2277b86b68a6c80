/** Routes: the analyst’s own words. */
import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import { aboutKinds, findingStatuses, notesText, readCaseNotes } from '../../store/notes.ts'
import type { NotesChange } from '../contract/notes.ts'
import { changedNotes, notesAnswer } from '../notes.ts'
import { OwnReply, type Route, route } from '../route.ts'

const long = z.string().max(100_000)
const short = z.string().max(1000)
const url = z.string().max(8192)
const seen = z.number().int().min(0)
const item = { id: z.string().max(50), seen }

const change: z.ZodType<NotesChange> = z.discriminatedUnion('do', [
  z.strictObject({
    ...{ do: z.literal('words'), seen, title: short, case_number: short, examiner: short, summary: long },
    sections: z.array(z.strictObject({ title: short, text: long })).max(200),
  }),
  z.strictObject({
    ...{ do: z.literal('add-note'), text: long.min(1), url },
    about: z.strictObject({ kind: z.enum(aboutKinds), text: short }),
  }),
  z.strictObject({ do: z.literal('edit-note'), ...item, text: long.min(1) }),
  z.strictObject({ do: z.literal('delete-note'), ...item }),
  z.strictObject({ do: z.literal('add-bookmark'), name: short.min(1), url }),
  z.strictObject({ do: z.literal('edit-bookmark'), ...item, name: short.min(1) }),
  z.strictObject({ do: z.literal('delete-bookmark'), ...item }),
  z.strictObject({
    ...{ do: z.literal('verdict'), seen: seen.nullable(), status: z.enum(findingStatuses).nullable(), note: long },
    ...{
      key: z.string().min(1).max(10_000),
      first_start: short.nullable(),
      id: short.nullable(),
      title: short.nullable(),
    },
  }),
  z.strictObject({ do: z.literal('import'), text: z.string() }),
])

export const notesRoutes: readonly Route[] = [
  route({ method: 'GET', path: '/api/notes', answer: ({ caseDir }) => notesAnswer(caseDir) }),
  route({
    method: 'GET',
    path: '/api/notes/file',
    answer: ({ caseDir }) => new OwnReply(response => sendNotes(response, caseDir)),
  }),
  route({
    method: 'POST',
    path: '/api/notes',
    body: change,
    answer: async ({ caseDir, events }, { body }) => {
      const changed = await changedNotes(caseDir, body, new Date())
      if (changed.conflict === null) events.send({ event: 'notes-changed', revision: changed.notes.revision })
      return changed
    },
  }),
]

/** The file as `tidemark report --notes` reads it; one without words where nothing was written. */
function sendNotes(response: ServerResponse, caseDir: string): void {
  const body = Buffer.from(notesText(readCaseNotes(caseDir)))
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-disposition': 'attachment; filename="notes.json"',
    'content-length': body.length,
  })
  response.end(body)
}
