/** The case's `queries.json`: saved requests of `tidemark flows`. It is no evidence and may be changed or deleted. */
import { join } from 'node:path'
import { z } from 'zod'
import { NotRegularError, TooLargeError } from '../disk/nodes.ts'
import { readSmallIfThere } from '../disk/reading.ts'
import { replaceFile } from '../disk/writing.ts'
import { errorCode, UserError } from '../errors.ts'
import { caseFiles } from './files.ts'

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

/** By name: when it was saved, and the request. */
export type SavedQueries = z.infer<typeof savedFile>['queries']

/** The file is read whole, also by who asks something else. */
const bytesMax = 1 << 24 // 16 MiB

/** @throws UserError for a file that is none of ours; without one there are no queries. */
export async function readQueries(caseDir: string): Promise<SavedQueries> {
  const path = join(caseDir, caseFiles.queries)
  let bytes: Buffer | null
  try {
    bytes = readSmallIfThere(path, 'refuse', bytesMax)
  } catch (error) {
    if (error instanceof NotRegularError) throw unreadable(path, error.what, error)
    if (error instanceof TooLargeError) throw unreadable(path, 'larger than 16 MiB', error)
    const code = errorCode(error)
    throw code === 'EACCES' || code === 'EPERM' ? unreadable(path, 'permission denied', error) : error
  }
  if (bytes === null) return {}
  const result = savedFile.safeParse(parsed(bytes.toString()))
  if (result.success) return result.data.queries
  throw unreadable(path, result.error.issues[0]?.message ?? 'not JSON')
}

function unreadable(path: string, why: string, cause?: unknown): UserError {
  return new UserError(`saved queries can not be read: ${path}: ${why}`, {
    cause,
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

/** Writes all of them. @throws UserError if the case can not be written. */
export async function writeQueries(caseDir: string, queries: { [name: string]: unknown }): Promise<void> {
  const path = join(caseDir, caseFiles.queries)
  try {
    await replaceFile(path, `${JSON.stringify(savedFile.parse({ version: 1, queries }), null, 2)}\n`)
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM', 'ENOENT'].includes(errorCode(error) ?? '')) throw error
    throw new UserError(`the query can not be saved: ${path}`, {
      cause: error,
      hint: 'check that there is a case, and that it can be written',
    })
  }
}
