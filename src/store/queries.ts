/**
 * The case's `queries.json`: saved requests of `tidemark flows`. It is no evidence and may be deleted. It holds a digest of its queries, so that
 * a query that was changed is not asked unseen; without one, as older versions wrote it, it is read all the same.
 */
import { join } from 'node:path'
import { errorText, UserError } from '../errors.ts'
import {
  count,
  countFrom,
  type Fitting,
  fit,
  listOf,
  nullOr,
  oneOf,
  onlyObjectOf,
  recordOf,
  text,
  yesOrNo,
} from '../shape.ts'
import { caseFiles } from './files.ts'
import type { VerifyFinding } from './reports.ts'
import { digestOfValue, jsonIn, readSideFile, replaceSideFile } from './side-file.ts'

const texts = listOf(text)
const savedRequest = onlyObjectOf(
  {},
  {
    filter: text,
    params: recordOf(text),
    nfdump: yesOrNo,
    internal: texts,
    evidence: oneOf('logs', 'packets'),
    raw: yesOrNo,
    by: texts,
    stat: onlyObjectOf({ element: text }, { perProtocol: yesOrNo }),
    bidirectional: yesOrNo,
    bin_ms: countFrom(1),
    distinct: texts,
    percentiles: texts,
    having: text,
    compare: text,
    order: text,
    limit: nullOr(count),
    other: yesOrNo,
    first: countFrom(1),
  },
)

const savedFile = onlyObjectOf(
  { version: oneOf(1), queries: recordOf(onlyObjectOf({ saved: text, request: savedRequest })) },
  { sha256: text },
)

/** By name: when it was saved, and the request. */
export type SavedQueries = Fitting<typeof savedFile>['queries']

/** The file is read whole, also by who asks something else. */
const megabytesMax = 16

/** @throws UserError for a file that was changed or is no such file; without one there are no queries. */
export async function readQueries(caseDir: string): Promise<SavedQueries> {
  const path = join(caseDir, caseFiles.queries)
  const text = textIn(path)
  if (text === null) return {}
  const content = jsonIn(text)
  const found = fit(savedFile, content)
  if (found.fault !== null) throw unreadable(path, content === null ? 'not JSON' : found.fault)
  const { sha256, queries } = found.value
  if (sha256 !== undefined && sha256 !== digestOfValue(asWritten(content)))
    throw unreadable(path, 'its digest is not that of its queries: they were changed', undefined, changedHint)
  return queries
}

const changedHint = 'if the change is yours, delete the line "sha256"; else delete the file, or restore it from a copy'

function textIn(path: string): string | null {
  return readSideFile(path, megabytesMax, (why, cause) => unreadable(path, why, cause))
}

/** The queries with their parts in the order in which they stand in the file. */
function asWritten(content: unknown): object {
  return (content as { queries: object }).queries
}

/** The text of the file, as it is written. */
function textOf(queries: object): string {
  return `${JSON.stringify({ version: 1, sha256: digestOfValue(queries), queries }, null, 2)}\n`
}

/** What `verify` says of the file: nothing, if it is not there or as it was written. */
export async function checkQueries(caseDir: string): Promise<VerifyFinding[]> {
  const path = caseFiles.queries
  try {
    await readQueries(caseDir)
    const text = textIn(join(caseDir, path))
    if (text === null || text === textOf(asWritten(jsonIn(text)))) return []
    if (text.includes('"sha256"')) return [{ what: 'altered', path, detail: 'not as it was written' }]
    const detail = 'holds no digest: written by an older version, or by hand; the next --save adds one'
    return [{ what: 'incomplete', path, detail }]
  } catch (error) {
    return [{ what: 'altered', path, detail: errorText(error) }]
  }
}

function unreadable(
  path: string,
  why: string,
  cause?: unknown,
  hint = 'it holds no evidence: fix or delete it',
): UserError {
  return new UserError(`saved queries cannot be read: ${path}: ${why}`, {
    cause,
    hint,
  })
}

/** Writes all of them. @throws UserError if the case cannot be written. */
export async function writeQueries(caseDir: string, queries: { [name: string]: unknown }): Promise<void> {
  const text = textOf(savedFile({ version: 1, queries }).queries)
  await replaceSideFile(join(caseDir, caseFiles.queries), text, 'the query cannot be saved')
}
