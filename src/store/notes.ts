/**
 * The case's `notes.json`: the analyst's own words, bookmarks, and what they decided of findings. It is no evidence and may be deleted.
 * It holds a digest of the rest, so that words that others changed are not taken for the analyst's.
 */
import { join } from 'node:path'
import { errorText, UserError } from '../errors.ts'
import { count, type Fitting, fit, listOf, nullOr, oneOf, onlyObjectOf, text, textThat } from '../shape.ts'
import { caseFiles, caseWriteError } from './files.ts'
import { CaseInUse, lockForWriting } from './lock.ts'
import type { VerifyFinding } from './reports.ts'
import { digestOfValue, jsonIn, readSideFile, replaceSideFile } from './side-file.ts'

export const findingStatuses = ['confirmed', 'refuted', 'open'] as const
export type FindingStatus = (typeof findingStatuses)[number]

export interface NotesSection {
  title: string
  text: string
}

/** A note on a finding. `id` and `title` are for people: the key says which finding it is about, with `first_start` where several share it. */
export interface KeptNote {
  key: string
  first_start: string | null
  id: string | null
  title: string | null
  status: FindingStatus | null
  note: string
}

export const aboutKinds = ['view', 'host', 'connection', 'record', 'finding', 'value'] as const

/** Whether it is the address of a page of the workbench, and leads nowhere else. */
export function isOwnAddress(url: string): boolean {
  return url.length <= addressMax && /^\/(?![/\\])[^\p{Cc}\\]*$/u.test(url)
}

const addressMax = 8192
const address = textThat(isOwnAddress, 'not an address of the workbench')

/** `revision`, of each item: that of the notes when it was last changed. */
const caseNotes = onlyObjectOf({
  revision: count,
  words: onlyObjectOf({
    ...{ revision: count, title: text, case_number: text, examiner: text, summary: text },
    sections: listOf(onlyObjectOf({ title: text, text })),
  }),
  notes: listOf(
    onlyObjectOf({
      ...{ id: text, revision: count, text, url: address, written: text, changed: nullOr(text) },
      about: onlyObjectOf({ kind: oneOf(...aboutKinds), text }),
    }),
  ),
  bookmarks: listOf(onlyObjectOf({ id: text, revision: count, name: text, url: address, made: text })),
  findings: listOf(
    onlyObjectOf({
      ...{ revision: count, key: text, first_start: nullOr(text), id: nullOr(text), title: nullOr(text) },
      ...{ status: nullOr(oneOf(...findingStatuses)), note: text },
    }),
  ),
})
const notesFile = onlyObjectOf({ version: oneOf(1), case_notes: caseNotes }, { sha256: text })

export type CaseNotes = Fitting<typeof caseNotes>

export const noCaseNotes: CaseNotes = {
  revision: 0,
  words: { revision: 0, title: '', case_number: '', examiner: '', summary: '', sections: [] },
  ...{ notes: [], bookmarks: [], findings: [] },
}

/** As much as `tidemark report --notes` reads. */
const megabytesMax = 8

/**
 * The notes in a value of JSON; null where it is not of this form at all, as files of `report --new-notes`.
 *
 * @param unreadable makes the error of a reason in words.
 */
export function caseNotesIn(content: unknown, unreadable: (why: string, hint?: string) => UserError): CaseNotes | null {
  if (typeof content !== 'object' || content === null || !('case_notes' in content)) return null
  const { value, fault } = fit(notesFile, content)
  if (fault !== null) throw unreadable(fault)
  if (value.sha256 !== undefined && value.sha256 !== digestOfValue(content.case_notes as object))
    throw unreadable('its digest is not that of its notes: they were changed', changedHint)
  return value.case_notes
}

const changedHint = 'if the change is yours, delete the line "sha256"; else delete the file, or restore it from a copy'

/** @throws UserError for a file that was changed or is no such file; without one there are no notes. */
export function readCaseNotes(caseDir: string): CaseNotes {
  const path = join(caseDir, caseFiles.notes)
  const unreadable = (why: string, hint = 'it holds no evidence: fix it, or move it away'): UserError =>
    new UserError(`the notes cannot be read: ${path}: ${why}`, { hint })
  const text = readSideFile(path, megabytesMax, why => unreadable(why))
  if (text === null) return noCaseNotes
  const content = jsonIn(text)
  const notes = caseNotesIn(content, unreadable)
  if (notes === null) throw unreadable(content === null ? 'not JSON' : 'no "case_notes" in it')
  return notes
}

/** The text of the file, as it is written. */
export function notesText(notes: CaseNotes): string {
  return `${JSON.stringify({ version: 1, sha256: digestOfValue(notes), case_notes: notes }, null, 2)}\n`
}

/** What `verify` says of the file: nothing, if it is not there or as it was written. */
export function checkCaseNotes(caseDir: string): VerifyFinding[] {
  const path = caseFiles.notes
  try {
    const text = readSideFile(join(caseDir, path), megabytesMax, why => new UserError(why))
    if (text === null || text === notesText(readCaseNotes(caseDir))) return []
    if (text.includes('"sha256"')) return [{ what: 'altered', path, detail: 'not as it was written' }]
    return [
      { what: 'incomplete', path, detail: 'holds no digest: changed by hand; the next change in tidemark ui adds one' },
    ]
  } catch (error) {
    return [{ what: 'altered', path, detail: errorText(error) }]
  }
}

/** Tries and milliseconds between them, while another workbench writes. */
const tries = 100
const pause = 30

/**
 * Changes the notes, while nobody else does. `change` is given them as they are, and gives what they become; null: nothing is written.
 *
 * @throws UserError where they cannot be read or written, or become too large.
 */
export async function changeCaseNotes(
  caseDir: string,
  change: (notes: CaseNotes) => CaseNotes | null,
): Promise<CaseNotes> {
  const release = await lockOfNotes(caseDir)
  try {
    const before = readCaseNotes(caseDir)
    const changed = change(before)
    if (changed === null) return before
    const text = notesText(caseNotes(changed))
    if (Buffer.byteLength(text) > megabytesMax << 20)
      throw new UserError(`the notes would be larger than ${megabytesMax} MiB`, {
        hint: 'shorten them, or delete what is no longer needed',
      })
    await replaceSideFile(join(caseDir, caseFiles.notes), text, 'the notes cannot be saved')
    return changed
  } finally {
    await release()
  }
}

async function lockOfNotes(caseDir: string): Promise<() => Promise<void>> {
  for (let left = tries; ; left--) {
    try {
      return await lockForWriting(caseDir, 'notes', `${caseFiles.lock}.notes`)
    } catch (error) {
      if (!(error instanceof CaseInUse) || left === 0) throw caseWriteError(error, caseDir)
      await new Promise(resolve => setTimeout(resolve, pause))
    }
  }
}
