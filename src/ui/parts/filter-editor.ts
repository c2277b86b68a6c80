/** The editor of a filter: one line that grows, completion from the server, and the place of an error. */
import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeCompletion,
  completionKeymap,
  startCompletion,
} from '@codemirror/autocomplete'
import { history, historyKeymap, insertNewline } from '@codemirror/commands'
import { EditorState, type Extension, Prec, StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, keymap, placeholder, WidgetType } from '@codemirror/view'
import type { CompleteAnswer, CompleteAsk } from '../../server/contract/case.ts'
import { post } from '../api.ts'

export interface EditorEvents {
  changed(text: string): void
  apply(text: string): void
  leave(): void
}

export interface FilterEditor {
  text(): string
  /** Does nothing where it already stands there. */
  setText(text: string): void
  /** Null: there is no error. */
  setError(at: { offset: number; length: number } | null, message: string): void
  focus(): void
  /** Offers how to go on, as typing does. */
  complete(): void
  close(): void
}

export function openEditor(parent: HTMLElement, text: string, example: string, events: EditorEvents): FilterEditor {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      selection: { anchor: text.length },
      extensions: extensions(example, events),
    }),
  })
  const now = (): string => view.state.doc.toString()
  return {
    text: now,
    setText: wanted => {
      if (now() === wanted) return
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: wanted },
        selection: { anchor: wanted.length },
      })
    },
    setError: (at, message) => {
      view.dispatch({ effects: markWrong.of(at) })
      view.contentDOM.setAttribute('aria-invalid', String(message !== ''))
    },
    focus: () => view.focus(),
    complete: () => void startCompletion(view),
    close: () => view.destroy(),
  }
}

const markWrong = StateEffect.define<{ offset: number; length: number } | null>()

/** What is underlined as wrong, until the text changes there. */
const wrongPlace = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, { changes, effects, newDoc }) => {
    for (const effect of effects) if (effect.is(markWrong)) return marksOf(effect.value, newDoc.length)
    return marks.map(changes)
  },
  provide: field => EditorView.decorations.from(field),
})

function marksOf(at: { offset: number; length: number } | null, length: number): DecorationSet {
  if (at === null) return Decoration.none
  const from = Math.min(at.offset, length)
  const to = Math.min(from + at.length, length)
  return Decoration.set(
    to > from
      ? Decoration.mark({ class: 'wrong-place' }).range(from, to)
      : Decoration.widget({ widget: new MissingMark(), side: 1 }).range(from),
  )
}

/** Where something is missing. */
class MissingMark extends WidgetType {
  override toDOM(): HTMLElement {
    const mark = document.createElement('span')
    mark.className = 'wrong-end'
    mark.setAttribute('aria-hidden', 'true')
    return mark
  }
}

/** The number that lets the editor's style sheet in. */
export function cspNonce(): Extension {
  return EditorView.cspNonce.of(document.querySelector<HTMLMetaElement>('meta[name=nonce]')?.content ?? '')
}

/** What was offered while it was typed is of no more use. */
function applied(view: EditorView, events: EditorEvents): void {
  closeCompletion(view)
  events.apply(view.state.doc.toString())
}

function extensions(example: string, events: EditorEvents): Extension {
  const own = keymap.of([
    { key: 'Enter', run: view => done(() => applied(view, events)) },
    { key: 'Shift-Enter', run: insertNewline },
    { key: 'Escape', run: () => done(events.leave) },
  ])
  return [
    cspNonce(),
    history(),
    autocompletion({
      override: [completions],
      icons: false,
      // Enter applies the filter until one is chosen.
      selectOnOpen: false,
      activateOnCompletion: () => true,
    }),
    // What is open for completion takes its keys first.
    Prec.highest(keymap.of(completionKeymap)),
    own,
    // The browser itself moves the cursor.
    keymap.of(historyKeymap),
    wrongPlace,
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      'aria-label': 'Filter',
      'aria-describedby': 'filter-said',
      spellcheck: 'false',
      autocapitalize: 'off',
    }),
    placeholder(example),
    EditorView.updateListener.of(update => {
      if (update.docChanged) events.changed(update.state.doc.toString())
    }),
  ]
}

/** The key is not looked for any further. */
function done(act: () => void): true {
  act()
  return true
}

/** The grammar's order, but for `and` and `or` where a field or a value can stand: they go on with less that is meant. */
function likelyFirst(items: CompleteAnswer['items']): CompleteAnswer['items'] {
  const isLink = ({ text }: { text: string }): boolean => text === 'and' || text === 'or'
  const others = items.filter(item => !isLink(item))
  return others.some(({ kind }) => kind === 'field') ? [...others, ...items.filter(isLink)] : items
}

async function completions(context: CompletionContext): Promise<CompletionResult | null> {
  const text = context.state.doc.toString()
  if (text === '' && !context.explicit) return null
  const stopping = new AbortController()
  context.addEventListener('abort', () => stopping.abort())
  const asked: CompleteAsk = { text, cursor: context.pos }
  try {
    const { from, to, items } = await post<CompleteAnswer>('/api/complete', asked, stopping.signal)
    const options = likelyFirst(items).map(({ text, kind, detail }, i) => ({
      label: text,
      detail,
      type: kind,
      boost: -i / 10,
      apply: kind === 'field' || kind === 'word' ? `${text} ` : text,
    }))
    return { from, to, options, filter: false }
  } catch {
    // What is wrong is said below the editor.
    return null
  }
}
