/** Saved requests: in the case's `queries.json`, which is no evidence and may be changed or deleted. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { errorCode, UserError } from '../errors.ts'
import { nearest } from '../filter/nearest.ts'
import { caseFiles, writeWhole } from '../store/files.ts'
import type { FlowsRequest } from './request.ts'

const strings = z.array(z.string())
const savedRequest = z.strictObject({
  filter: z.string().optional(),
  params: z.record(z.string(), z.string()).optional(),
  nfdump: z.boolean().optional(),
  internal: strings.optional(),
  evidence: z.enum(['logs', 'packets']).optional(),
  raw: z.boolean().optional(),
  by: strings.optional(),
  stat: z.strictObject({ element: z.string(), perProtocol: z.boolean().optional() }).optional(),
  bidirectional: z.boolean().optional(),
  bin_ms: z.number().int().positive().optional(),
  distinct: strings.optional(),
  percentiles: strings.optional(),
  having: z.string().optional(),
  compare: z.string().optional(),
  order: z.string().optional(),
  limit: z.number().int().nonnegative().nullable().optional(),
  other: z.boolean().optional(),
  first: z.number().int().positive().optional(),
})

const savedFile = z.strictObject({
  version: z.literal(1),
  queries: z.record(z.string(), z.strictObject({ saved: z.string(), request: savedRequest })),
})

type SavedFile = z.infer<typeof savedFile>

/** Keeps a request under a name; one of that name is replaced. Parameters of the filter, `$name`, are given when it is asked. */
export async function saveQuery(caseDir: string, name: string, request: FlowsRequest): Promise<void> {
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) {
    throw new UserError(`invalid name of a query: ${name}`, { status: 2, hint: 'letters, digits, - _ . up to 64' })
  }
  if (request.filter !== undefined && typeof request.filter !== 'string') {
    throw new UserError('a query is saved with the text of its filter', { status: 2 })
  }
  const file = await read(caseDir)
  const saved = new Date().toISOString()
  const kept = { version: 1, queries: { ...file.queries, [name]: { saved, request } } }
  const path = join(caseDir, caseFiles.queries)
  try {
    await writeWhole(path, `${JSON.stringify(savedFile.parse(kept), null, 2)}\n`)
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM', 'ENOENT'].includes(errorCode(error) ?? '')) throw error
    throw new UserError(`the query can not be saved: ${path}`, {
      cause: error,
      hint: 'check that there is a case, and that it can be written',
    })
  }
}

/** The request of that name. @throws UserError if there is none. */
export async function savedQuery(caseDir: string, name: string): Promise<FlowsRequest> {
  const { queries } = await read(caseDir)
  const found = Object.hasOwn(queries, name) ? queries[name] : undefined
  if (found !== undefined) return found.request as FlowsRequest
  const names = Object.keys(queries)
  const near = nearest(name, names)
  const hint =
    near !== null
      ? `did you mean ${near}?`
      : names.length > 0
        ? `there are: ${names.join(', ')}`
        : 'save one with --save NAME'
  throw new UserError(`no saved query: ${name}`, { status: 2, hint })
}

/** All of them, by name. */
export async function savedQueries(caseDir: string): Promise<{ name: string; saved: string; request: FlowsRequest }[]> {
  const { queries } = await read(caseDir)
  return Object.entries(queries).map(([name, { saved, request }]) => ({
    name,
    saved,
    request: request as FlowsRequest,
  }))
}

async function read(caseDir: string): Promise<SavedFile> {
  const path = join(caseDir, caseFiles.queries)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { version: 1, queries: {} }
    throw error
  }
  const result = savedFile.safeParse(parsed(text))
  if (result.success) return result.data
  throw new UserError(`saved queries can not be read: ${path}: ${result.error.issues[0]?.message ?? 'not JSON'}`, {
    hint: 'it holds no evidence: mend or delete it',
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
