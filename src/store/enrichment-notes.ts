/**
 * The case's `enrichment.json`: which files of the analyst's own say what addresses are, with their digests. It is no evidence, and may be
 * deleted; the files themselves stay where they are.
 */
import { join } from 'node:path'
import { errorText, UserError } from '../errors.ts'
import { type Fitting, fit, listOf, oneOf, onlyObjectOf, text, textThat } from '../shape.ts'
import { caseFiles } from './files.ts'
import type { VerifyFinding } from './reports.ts'
import { jsonIn, readSideFile, replaceSideFile } from './side-file.ts'

const note = onlyObjectOf({
  /** Absolute. */
  path: text,
  kind: oneOf('list', 'geoip', 'asn', 'aws-ranges', 'networks'),
  sha256: textThat(value => /^[0-9a-f]{64}$/.test(value), 'not a SHA-256'),
  /** When it was noted, ISO 8601. */
  noted: text,
})
const notesFile = onlyObjectOf({ version: oneOf(1), files: listOf(note) })

export type EnrichmentNote = Fitting<typeof note>

const megabytesMax = 16

/** What is noted, in the order in which it was; nothing without a file. @throws UserError for a file that was changed, or is not such a file. */
export function readNotes(caseDir: string): EnrichmentNote[] {
  const path = join(caseDir, caseFiles.enrichment)
  const unreadable = (why: string): UserError =>
    new UserError(`the case’s note of enrichment cannot be read: ${path}: ${why}`, {
      hint: 'it holds no evidence: fix or delete it, and note the files again with tidemark enrich',
    })
  const text = readSideFile(path, megabytesMax, unreadable)
  if (text === null) return []
  const found = fit(notesFile, jsonIn(text))
  if (found.fault !== null) throw unreadable(found.fault)
  return found.value.files
}

/** Writes all of them. @throws UserError if the case cannot be written. */
export async function writeNotes(caseDir: string, files: readonly EnrichmentNote[]): Promise<void> {
  const text = `${JSON.stringify({ version: 1, files }, null, 2)}\n`
  await replaceSideFile(join(caseDir, caseFiles.enrichment), text, 'the files cannot be noted')
}

/** What `verify` says of the file: nothing, if it is not there or can be read. */
export function checkNotes(caseDir: string): VerifyFinding[] {
  try {
    readNotes(caseDir)
    return []
  } catch (error) {
    return [{ what: 'altered', path: caseFiles.enrichment, detail: errorText(error) }]
  }
}
