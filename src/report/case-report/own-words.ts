/** The analyst's own words on a page: as they wrote them, told from what the program says. */
import { type Badge, type Block, heading, inset, line, paragraph, strong, subheading, value } from '../block.ts'
import { wordsOf } from '../figures.ts'
import type { CaseReport, ReportFinding } from './document.ts'
import { verdictOf } from './verdicts.ts'

/** Paragraphs by their lines; nothing where nothing was written. */
export function ownWords(text: string | null, of: string, title: string): Block[] {
  if (text === null || text.trim() === '') return []
  const lines = text.split(/\r\n|\n|\r/)
  return [
    paragraph(strong(`${title}:`)),
    inset(
      1,
      lines.flatMap((one, i) => (one.trim() === '' ? [] : [paragraph(value(one, `${of}:${i + 1}`))])),
    ),
  ]
}

const looks = { confirmed: 'yes', refuted: 'no', 'not judged': 'open' } as const

/** What the analyst decided of a finding, in a word. */
export function verdictBadge(own: ReportFinding, of: string): Badge {
  const verdict = verdictOf(own)
  return { look: looks[verdict], text: verdict === 'not judged' ? verdict : wordsOf(verdict, `${of}.status`) }
}

/** What the analyst wrote of a finding. */
export function noteBlocks({ notes }: ReportFinding, of: string): Block[] {
  return notes.flatMap((note, i) => ownWords(note, `${of}.notes.${i}`, 'Note of the examiner'))
}

export function sectionBlocks({ notes }: CaseReport): Block[] {
  return notes.sections.flatMap(({ title, text }, i) => [
    heading(wordsOf(title, `notes.sections.${i}.title`)),
    ...ownWords(text, `notes.sections.${i}.text`, 'In the words of the examiner'),
  ])
}

/** Never dropped: who wrote them sees that they are about nothing that is here. */
export function lostNotesBlocks({ notes: { not_found } }: CaseReport): Block[] {
  if (not_found.length === 0) return []
  return [
    heading('Notes on findings that are not found any more'),
    paragraph(
      'These notes name findings that this report does not have, or that cannot be told from others of the same name. They are as they were written.',
    ),
    ...not_found.flatMap((note, i) => {
      const at = `notes.not_found.${i}`
      return [
        subheading(wordsOf(note.key, `${at}.key`)),
        paragraph(
          line`was ${wordsOf(note.id, `${at}.id`)}: ${wordsOf(note.title, `${at}.title`)}; ${wordsOf(note.status, `${at}.status`)}`,
        ),
        ...ownWords(note.note, `${at}.note`, 'Note of the examiner'),
      ]
    }),
  ]
}
