/** Changes of the case's notes: each is made of what the page saw, and not at all where somebody else changed that meanwhile. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { notesFileIn } from '../report/case-report/notes.ts'
import { caseFiles } from '../store/files.ts'
import { type CaseNotes, changeCaseNotes, isOwnAddress, noCaseNotes, readCaseNotes } from '../store/notes.ts'
import { isPagePath } from './assets.ts'
import type { NotesAnswer, NotesChange, NotesChanged } from './contract/notes.ts'

/** More are not kept: the page shows all of them. */
const itemsMax = 5000

/** What the notes are; where they cannot be read, why. */
export function notesAnswer(caseDir: string): NotesAnswer {
  try {
    return answerOf(caseDir, readCaseNotes(caseDir))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const { message, hint } = error
    const unreadable = { error: message, ...(hint !== undefined && { hint }) }
    return { ...answerOf(caseDir, noCaseNotes), unreadable }
  }
}

function answerOf(caseDir: string, notes: CaseNotes): NotesAnswer {
  return { ...notes, path: join(caseDir, caseFiles.notes), unreadable: null }
}

/** @throws UserError where the notes cannot be read or written, and for what cannot be kept. */
export async function changedNotes(caseDir: string, change: NotesChange, now: Date): Promise<NotesChanged> {
  if ('url' in change) requireOwn(change.url)
  let conflict: string | null = null
  const notes = await changeCaseNotes(caseDir, before => {
    const after = applied(before, change, now.toISOString())
    if (typeof after !== 'string') return requireFew(after)
    conflict = after
    return null
  })
  return { notes: answerOf(caseDir, notes), conflict }
}

function requireOwn(url: string): void {
  if (!isOwnAddress(url) || !isPagePath(new URL(url, 'http://tidemark').pathname))
    throw new UserError('that is not the address of a page of this workbench', { hint: 'it begins with / and a page' })
}

function requireFew(notes: CaseNotes): CaseNotes {
  const { length } = [notes.notes, notes.bookmarks, notes.findings, notes.words.sections].reduce((most, one) =>
    one.length > most.length ? one : most,
  )
  if (length > itemsMax)
    throw new UserError(`more than ${itemsMax} notes are not kept`, { hint: 'delete what is no longer needed' })
  return notes
}

/** The notes after a change; a text where somebody else changed what it is about. */
function applied(before: CaseNotes, change: NotesChange, now: string): CaseNotes | string {
  const revision = before.revision + 1
  const after = { ...before, revision }
  switch (change.do) {
    case 'words': {
      const { do: _, seen, ...words } = change
      if (seen !== before.words.revision) return conflictOf('the words for the report')
      return { ...after, words: { ...words, revision } }
    }
    case 'add-note': {
      const { text, about, url } = change
      const note = { id: newId(), revision, text, about, url, written: now, changed: null }
      return { ...after, notes: [...before.notes, note] }
    }
    case 'edit-note': {
      const notes = replaced(before.notes, change, one => [{ ...one, revision, text: change.text, changed: now }])
      return notes === null ? conflictOf('the note') : { ...after, notes }
    }
    case 'delete-note': {
      const notes = replaced(before.notes, change, () => [])
      return notes === null ? conflictOf('the note') : { ...after, notes }
    }
    case 'add-bookmark': {
      const { name, url } = change
      return { ...after, bookmarks: [...before.bookmarks, { id: newId(), revision, name, url, made: now }] }
    }
    case 'edit-bookmark': {
      const bookmarks = replaced(before.bookmarks, change, one => [{ ...one, revision, name: change.name }])
      return bookmarks === null ? conflictOf('the bookmark') : { ...after, bookmarks }
    }
    case 'delete-bookmark': {
      const bookmarks = replaced(before.bookmarks, change, () => [])
      return bookmarks === null ? conflictOf('the bookmark') : { ...after, bookmarks }
    }
    case 'verdict':
      return judged(before, change, after)
    case 'import':
      return withFile(after, change.text)
  }
}

function newId(): string {
  return randomBytes(9).toString('base64url')
}

function conflictOf(what: string): string {
  return `${what} was changed meanwhile, in another window or by somebody else: nothing was written`
}

/** The items with others in the place of one; null where that is gone, or not as it was seen. */
function replaced<Item extends { id: string; revision: number }>(
  items: readonly Item[],
  { id, seen }: { id: string; seen: number },
  by: (item: Item) => Item[],
): Item[] | null {
  if (!items.some(one => one.id === id && one.revision === seen)) return null
  return items.flatMap(one => (one.id === id ? by(one) : [one]))
}

type Verdict = Extract<NotesChange, { do: 'verdict' }>

function judged(before: CaseNotes, { do: _, seen, ...verdict }: Verdict, after: CaseNotes): CaseNotes | string {
  const isSame = (one: { key: string; first_start: string | null }): boolean =>
    one.key === verdict.key && one.first_start === verdict.first_start
  const known = before.findings.find(isSame)
  if ((known?.revision ?? null) !== seen) return conflictOf('what was decided of this finding')
  const own = { ...verdict, revision: after.revision }
  if (known === undefined) return { ...after, findings: [...before.findings, own] }
  return { ...after, findings: before.findings.map(one => (one === known ? own : one)) }
}

/** With what is in the text of a file of notes: words that are said already stay, and what is there already is not added again. */
function withFile(notes: CaseNotes, text: string): CaseNotes {
  const { revision, words } = notes
  const given = keptOf(text)
  const said = given.words
  return {
    revision,
    words: {
      revision,
      title: words.title || said.title,
      case_number: words.case_number || said.case_number,
      examiner: words.examiner || said.examiner,
      summary: words.summary || said.summary,
      sections: [...words.sections, ...unknown(words.sections, said.sections, one => `${one.title}\n${one.text}`)],
    },
    notes: [...notes.notes, ...unknown(notes.notes, given.notes, one => one.id).map(one => ({ ...one, revision }))],
    bookmarks: [
      ...notes.bookmarks,
      ...unknown(notes.bookmarks, given.bookmarks, one => one.id).map(one => ({ ...one, revision })),
    ],
    findings: [
      ...notes.findings,
      ...unknown(notes.findings, given.findings, one => `${one.key}\n${one.first_start}`)
        .filter(({ status, note }) => note !== '' || (status !== null && status !== 'open'))
        .map(one => ({ ...one, revision })),
    ],
  }
}

function unknown<Item>(old: readonly Item[], more: readonly Item[], nameOf: (item: Item) => string): Item[] {
  const known = new Set(old.map(nameOf))
  return more.filter(one => !known.has(nameOf(one)))
}

/** What a file holds, whether it is of a case or was filled in by hand. */
function keptOf(text: string): CaseNotes {
  const { kept, notes } = notesFileIn(Buffer.from(text), 'the file that was chosen')
  if (kept !== null) return kept
  const { title, case_number, examiner, summary, sections, findings } = notes
  const words = [title, case_number, examiner, summary].filter(Boolean)
  if (words.length + sections.length + findings.length === 0) {
    throw new UserError('the file that was chosen holds no notes', {
      hint: 'it is notes.json of a case, or a file for tidemark report --notes',
    })
  }
  return {
    ...noCaseNotes,
    words: {
      ...{ revision: 0, sections, title: title ?? '', case_number: case_number ?? '' },
      ...{ examiner: examiner ?? '', summary: summary ?? '' },
    },
    findings: findings.map(one => ({ ...one, revision: 0 })),
  }
}
