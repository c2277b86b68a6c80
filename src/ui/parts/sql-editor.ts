/** The editor of queries in SQL. */
import { autocompletion, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { SQLDialect, sql } from '@codemirror/lang-sql'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { type Diagnostic, setDiagnostics } from '@codemirror/lint'
import { EditorState, Prec } from '@codemirror/state'
import { EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import type { SqlHelpAnswer } from '../../server/contract/sql.ts'
import { cspNonce } from './filter-editor.ts'

export interface SqlEditor {
  text(): string
  /** Does nothing where it already stands there. */
  setText(text: string): void
  /** Null: there is no error. */
  setError(at: { offset: number; length: number } | null, message: string): void
  /** Puts a text where the cursor is. */
  insert(text: string): void
  focus(): void
  close(): void
}

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--link)' },
  { tag: [tags.string, tags.number, tags.bool, tags.null], color: 'var(--warning)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
])

/**
 * What replaces a selection is put in here: Chromium would give it the colours of what was there in a style attribute, which the page's policy
 * refuses.
 */
const plainInput = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { data, inputType, isComposing } = event
    if (inputType !== 'insertText' || isComposing || data === null || view.state.selection.main.empty) return false
    view.dispatch(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true })
    return true
  },
})

/** @param run Ctrl-Enter was pressed. */
export function openSqlEditor(
  parent: HTMLElement,
  text: string,
  help: SqlHelpAnswer | null,
  run: () => void,
): SqlEditor {
  const view = new EditorView({ parent, state: EditorState.create({ doc: text, extensions: extensions(help, run) }) })
  const now = (): string => view.state.doc.toString()
  return {
    text: now,
    setText: wanted => {
      if (now() === wanted) return
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: wanted } })
    },
    setError: (at, message) => {
      const { length } = view.state.doc
      const diagnostics: Diagnostic[] = []
      if (at !== null) {
        const from = Math.min(at.offset, length)
        diagnostics.push({ from, to: Math.min(from + at.length, length), severity: 'error', message })
        view.dispatch({ selection: { anchor: from }, scrollIntoView: true })
      }
      view.dispatch(setDiagnostics(view.state, diagnostics))
      view.contentDOM.setAttribute('aria-invalid', String(message !== ''))
    },
    insert: added => view.dispatch(view.state.replaceSelection(added)),
    focus: () => view.focus(),
    close: () => view.destroy(),
  }
}

function extensions(help: SqlHelpAnswer | null, run: () => void) {
  const schema = Object.fromEntries(
    (help?.views ?? []).map(({ name, columns }) => [name, columns.map(one => one.name)]),
  )
  const dialect = SQLDialect.define({
    keywords:
      'select from where group by having order limit offset distinct with as and or not in is null between like ilike case when then else end join left right inner full cross semi anti on using union all except intersect exists asc desc nulls first last filter over partition qualify exclude replace cast true false interval',
    types: 'varchar bigint ubigint integer uinteger hugeint double boolean timestamp date time struct',
    builtin: (help?.functions ?? []).map(({ call }) => call.replace(/\(.*$/, '')).join(' '),
    doubleDollarQuotedStrings: true,
  })
  const own = keymap.of([
    {
      key: 'Mod-Enter',
      run: () => {
        run()
        return true
      },
    },
  ])
  return [
    cspNonce(),
    history(),
    lineNumbers(),
    sql({ dialect, schema, upperCaseKeywords: true }),
    syntaxHighlighting(colours),
    autocompletion({ icons: false }),
    Prec.highest(own),
    plainInput,
    keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      'aria-label': 'Query in SQL',
      'aria-describedby': 'sql-said',
      spellcheck: 'false',
      autocapitalize: 'off',
    }),
    placeholder('SELECT ip(srcaddr), sum(bytes) FROM flows GROUP BY ALL ORDER BY 2 DESC LIMIT 10'),
  ]
}
