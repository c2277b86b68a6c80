/** The analyst's own words, in a file of theirs: read, checked, and put to the findings that they are about. */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { readUpTo } from '../../disk/reading.ts'
import { errorText, exitStatus, UserError } from '../../errors.ts'
import { systemFailure } from '../../system-error.ts'
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

const bytesMax = 8 << 20

/** @throws UserError (status 2) for a file that cannot be read, or has something else in it: a word that is not read would be lost. */
export function readNotes(path: string): Notes {
  const text = textOf(path)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unfit(path, errorText(error))
  }
  return notesOf(path, value)
}

function textOf(path: string): string {
  let fd: number | null = null
  try {
    fd = path === '-' ? 0 : openSync(path, 'r')
    const bytes = readUpTo(fd, bytesMax, fstatSync(fd).size)
    if (bytes === null) throw unfit(path, 'it is larger than 8 MiB')
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof UserError) throw error
    if (error instanceof TypeError) throw unfit(path, 'it is not UTF-8')
    throw new UserError(`cannot read the notes: ${path}: ${systemFailure(error)?.message ?? errorText(error)}`, {
      hint: '--new-notes FILE writes a file of notes to fill in',
      status: exitStatus.usage,
      cause: error,
    })
  } finally {
    if (fd !== null && fd !== 0) closeSync(fd)
  }
}

function unfit(path: string, problem: string): UserError {
  return new UserError(`not a file of notes: ${path}: ${problem}`, {
    hint: 'tidemark help report-guide shows what it looks like; --new-notes FILE writes one to fill in',
    status: exitStatus.usage,
  })
}

function notesOf(path: string, value: unknown): Notes {
  const fail = (place: string, problem: string): never => {
    throw unfit(path, `${place}: ${problem}`)
  }
  const object = (one: unknown, place: string, names: readonly string[]): Record<string, unknown> => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return fail(place, 'not an object')
    const other = Object.keys(one).find(name => !names.includes(name))
    if (other !== undefined) fail(place, `unknown name ${JSON.stringify(other)}; the names are ${names.join(', ')}`)
    return one as Record<string, unknown>
  }
  const text = (one: unknown, place: string): string | null =>
    one === undefined || one === null || one === '' ? null : typeof one === 'string' ? one : fail(place, 'not a text')
  const list = (one: unknown, place: string): unknown[] =>
    one === undefined || one === null ? [] : Array.isArray(one) ? one : fail(place, 'not a list')
  const status = (one: unknown, place: string): FindingStatus | null => {
    const said = text(one, place)
    if (said === null) return null
    return (
      findingStatuses.find(known => known === said) ??
      fail(place, `${JSON.stringify(said)} is none of ${findingStatuses.join(', ')}`)
    )
  }
  const notes = object(value, 'the document', Object.keys(noNotes))
  return {
    title: text(notes['title'], 'title'),
    case_number: text(notes['case_number'], 'case_number'),
    examiner: text(notes['examiner'], 'examiner'),
    summary: text(notes['summary'], 'summary'),
    sections: list(notes['sections'], 'sections').map((one, i) => {
      const place = `sections.${i}`
      const section = object(one, place, ['title', 'text'])
      return {
        title: text(section['title'], `${place}.title`) ?? '',
        text: text(section['text'], `${place}.text`) ?? '',
      }
    }),
    findings: list(notes['findings'], 'findings').map((one, i) => {
      const place = `findings.${i}`
      const note = object(one, place, ['key', 'first_start', 'id', 'title', 'status', 'note'])
      return {
        key: text(note['key'], `${place}.key`) ?? fail(place, 'no key: --new-notes writes those of all findings'),
        first_start: text(note['first_start'], `${place}.first_start`),
        id: text(note['id'], `${place}.id`),
        title: text(note['title'], `${place}.title`),
        status: status(note['status'], `${place}.status`),
        note: text(note['note'], `${place}.note`) ?? '',
      }
    }),
  }
}

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
