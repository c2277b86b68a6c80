/** The analyst's own words, in a file of theirs: read, checked, and put to the findings that they are about. */
import { readNamed } from '../../disk/named-file.ts'
import { readUpTo } from '../../disk/reading.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { anything, fail, fit, listOf, nullOr, objectOf, oneOf, recordOf, type Shape, text } from '../../shape.ts'
import type { FindingKey } from './keys.ts'

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
  const { value, fault } = fit(notesShape, parsed(path, contentOf(path)))
  if (fault !== null) throw unfit(path, fault)
  return value
}

function contentOf(path: string): Buffer {
  if (path !== '-') return readNamed(`--notes ${path}`, path, megabytesMax, exitStatus.usage)
  const bytes = readUpTo(0, megabytesMax << 20, 0)
  if (bytes === null) throw unfit(path, `exceeds ${megabytesMax} MB`)
  return bytes
}

function parsed(path: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw unfit(path, error instanceof SyntaxError ? error.message : 'not UTF-8')
  }
}

function unfit(path: string, problem: string): UserError {
  return new UserError(`not a file of notes: ${path}: ${problem}`, {
    hint: 'tidemark help report-guide shows what it looks like; --new-notes FILE writes one to fill in',
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
