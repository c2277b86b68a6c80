/** The analyst's words for the head of the report, and its sections of their own. */
import './writing.css'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { NotesAnswer, NotesWords } from '../../server/contract/notes.ts'
import { visibleLines } from '../text.ts'
import { theNotes } from './notes-actions.ts'
import { LineField, SureButton, TextField, useSaving } from './writing.tsx'

interface Draft {
  seen: number
  words: NotesWords
}

export function OwnWords({ notes }: { notes: NotesAnswer }): JSX.Element {
  const [draft, write] = useState<Draft | null>(null)
  const saving = useSaving(() => write(null))
  const { revision, ...kept } = notes.words
  const words = draft?.words ?? kept
  const change = (part: Partial<NotesWords>): void =>
    write({ seen: draft?.seen ?? revision, words: { ...words, ...part } })
  const save = async (): Promise<void> => {
    if (draft === null) return
    const conflict = await saving.save({ do: 'words', seen: draft.seen, ...draft.words })
    if (typeof conflict === 'string') write({ ...draft, seen: theNotes.value!.words.revision })
  }
  return (
    <section aria-labelledby="notes-words">
      <h2 id="notes-words">Words for the report</h2>
      <form
        class="own-words"
        onSubmit={event => {
          event.preventDefault()
          void save()
        }}
      >
        <LineField label="Title" text={words.title} type={title => change({ title })} />
        <LineField label="Case number" text={words.case_number} type={case_number => change({ case_number })} />
        <LineField label="Examiner" text={words.examiner} type={examiner => change({ examiner })} />
        <TextField label="Summary" text={words.summary} rows={4} type={summary => change({ summary })} />
        {words.sections.map((section, at) => (
          <fieldset key={at}>
            <legend>Section {at + 1}</legend>
            <LineField label="Title" text={section.title} type={title => change(withSection(words, at, { title }))} />
            <TextField
              label="Text"
              text={section.text}
              rows={4}
              type={text => change(withSection(words, at, { text }))}
            />
            <SureButton
              name="Delete"
              act={() => change({ sections: words.sections.filter((_, other) => other !== at) })}
            />
          </fieldset>
        ))}
        {saving.said}
        {saving.said !== null && draft !== null && draft.seen === revision && <Theirs words={kept} />}
        <p class="buttons">
          <button type="button" onClick={() => change({ sections: [...words.sections, { title: '', text: '' }] })}>
            Add a section
          </button>
          <button type="submit" class="main" disabled={draft === null || saving.isBusy}>
            Keep the words
          </button>
          {draft !== null && (
            <button type="button" onClick={() => write(null)}>
              Cancel
            </button>
          )}
        </p>
      </form>
    </section>
  )
}

function withSection(
  { sections }: NotesWords,
  at: number,
  part: Partial<NotesWords['sections'][number]>,
): Pick<NotesWords, 'sections'> {
  return { sections: sections.map((section, other) => (other === at ? { ...section, ...part } : section)) }
}

/** What the others wrote meanwhile: who saves once more writes over it. */
function Theirs({ words }: { words: NotesWords }): JSX.Element {
  const { title, case_number, examiner, summary, sections } = words
  const lines = [title, case_number, examiner, summary, ...sections.map(one => `${one.title}: ${one.text}`)]
  return (
    <div class="theirs">
      <p>As they are kept now; keeping yours writes over them:</p>
      {lines.map((line, at) => (
        <p key={at} class="words">
          {visibleLines(line)}
        </p>
      ))}
    </div>
  )
}
