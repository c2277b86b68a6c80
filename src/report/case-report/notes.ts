/** The analyst's own words, in a file of theirs: read, checked, and put to the findings that they are about. */
import { readNamed } from '../../disk/named-file.ts'
import { readUpTo } from '../../disk/reading.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { anything, fail, fit, listOf, nullOr, objectOf, oneOf, recordOf, type Shape, text } from '../../shape.ts'
import { type CaseNotes, caseNotesIn, findingStatuses, type KeptNote, type NotesSection } from '../../store/notes.ts'
import type { FindingKey } from './keys.ts'

/** A file of notes: docs/reference/report.md has its schema. */
export interface Notes {
  title: string | null
  case_number: string | null
  examiner: string | null
  summary: string | null
  sections: NotesSection[]
  findings: KeptNote[]
}

export const noNotes: Notes = {
  ...{ title: null, case_number: null, examiner: null, summary: null },
  ...{ sections: [], findings: [] },
}

const megabytesMax = 8

/** @throws UserError (status 2) for a file that cannot be read, or has something else in it: a word that is not read would be lost. */
export function readNotes(path: string): Notes {
  return notesFileIn(contentOf(path), path).notes
}

/** The notes in the bytes of a file: one of `--new-notes`; or a case's own, which is `kept` as it is. */
export function notesFileIn(bytes: Uint8Array, path: string): { notes: Notes; kept: CaseNotes | null } {
  const content = parsed(path, bytes)
  const kept = caseNotesIn(content, (why, hint) => unfit(path, why, hint))
  if (kept !== null) return { notes: ofCaseNotes(kept), kept }
  const { value, fault } = fit(notesShape, content)
  if (fault !== null) throw unfit(path, fault)
  return { notes: value, kept }
}

/** The notes of a case as a report has them: what is not about a finding stands in sections of its own. */
export function ofCaseNotes({ words, findings, notes, bookmarks }: CaseNotes): Notes {
  const noted = notes.map(({ written, about, url, text }) => `${written}, on ${about.text} (${url}):\n${text}`)
  const views = bookmarks.map(({ name, url }) => `${name}: ${url}`)
  return {
    title: words.title || null,
    case_number: words.case_number || null,
    examiner: words.examiner || null,
    summary: words.summary || null,
    sections: [
      ...words.sections,
      ...(noted.length === 0 ? [] : [{ title: 'Notes', text: noted.join('\n\n') }]),
      ...(views.length === 0 ? [] : [{ title: 'Views of the workbench', text: views.join('\n') }]),
    ],
    findings: findings.map(({ key, first_start, id, title, status, note }) => ({
      ...{ key, first_start, id, title, status, note },
    })),
  }
}

function contentOf(path: string): Buffer {
  if (path !== '-') return readNamed(`--notes ${path}`, path, megabytesMax, exitStatus.usage)
  const bytes = readUpTo(0, megabytesMax << 20, 0)
  if (bytes === null) throw unfit(path, `exceeds ${megabytesMax} MB`)
  return bytes
}

function parsed(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw unfit(path, error instanceof SyntaxError ? error.message : 'not UTF-8')
  }
}

const formHint = 'tidemark help report-guide shows what it looks like; --new-notes FILE writes one to fill in'

function unfit(path: string, problem: string, hint = formHint): UserError {
  return new UserError(`not a file of notes: ${path}: ${problem}`, {
    hint,
    status: exitStatus.usage,
  })
}

/** Nothing, null and an empty text are the same: not said. */
const words: Shape<string | null> = value => nullOr(text)(value === '' || value === undefined ? null : value)
const said: Shape<string> = value => words(value) ?? ''
const all =
  <T>(shape: Shape<T>): Shape<T[]> =>
  value =>
    value === undefined || value === null ? [] : listOf(shape)(value)

/** An object with some of these parts and no others: what is not read would be lost. */
function partsOf<F extends Record<string, Shape<unknown>>>(fields: F) {
  const names = Object.keys(fields)
  const shape = objectOf(fields)
  return (value: unknown) => {
    const other = Object.keys(recordOf(anything)(value)).find(name => !names.includes(name))
    if (other !== undefined) fail(`unknown name ${JSON.stringify(other)}; the names are ${names.join(', ')}`)
    return shape(value)
  }
}

const notesShape: Shape<Notes> = partsOf({
  ...{ title: words, case_number: words, examiner: words, summary: words },
  sections: all(partsOf({ title: said, text: said })),
  findings: all(
    partsOf({
      key: (value: unknown) => words(value) ?? fail('no key: --new-notes writes those of all findings'),
      ...{ first_start: words, id: words, title: words },
      status: (value: unknown) => (words(value) === null ? null : oneOf(...findingStatuses)(value)),
      note: said,
    }),
  ),
})

/** Whether the analyst has said something there. */
function isSaid({ status, note }: KeptNote): boolean {
  return status !== null || note !== ''
}

/** The notes of each finding, by its place, and those of none of them. */
export function matchNotes(notes: Notes, findings: readonly FindingKey[]): { of: KeptNote[][]; not_found: KeptNote[] } {
  const of: KeptNote[][] = findings.map(() => [])
  const not_found: KeptNote[] = []
  for (const note of notes.findings.filter(isSaid)) {
    const same = findings.flatMap(({ key }, at) => (key === note.key ? [at] : []))
    const one = same.length === 1 ? same : same.filter(at => findings[at]!.first_start === note.first_start)
    if (one.length === 1) of[one[0]!]!.push(note)
    else not_found.push(note)
  }
  return { of, not_found }
}

/** A file of notes with a place for a note on every finding, and all that was written before. */
export function skeleton(notes: Notes, findings: readonly (FindingKey & { id: string; title: string })[]): Notes {
  const { of, not_found } = matchNotes(notes, findings)
  return {
    title: notes.title ?? '',
    case_number: notes.case_number ?? '',
    examiner: notes.examiner ?? '',
    summary: notes.summary ?? '',
    sections: notes.sections,
    findings: [
      ...findings.flatMap(({ key, first_start, id, title }, at): KeptNote[] => {
        const own = of[at]!.length > 0 ? of[at]! : [{ status: 'open' as const, note: '' }]
        return own.map(({ status, note }) => ({ key, first_start, id, title, status, note }))
      }),
      ...not_found,
    ],
  }
}
