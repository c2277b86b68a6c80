/** Beside the editor of queries: views and columns, functions, saved queries, and those that were run. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Asked } from '../../server/contract/common.ts'
import type { BookmarkItem, NotesAnswer, NotesChange } from '../../server/contract/notes.ts'
import type { SqlHelpAnswer } from '../../server/contract/sql.ts'
import { AskError, get, post, useAnswer } from '../api.ts'
import { state } from '../state.ts'
import { visible } from '../text.ts'
import { urlOf } from '../url.ts'
import { Doc, plainDoc } from './doc.tsx'
import { viewAsked } from './tools.tsx'

interface Props {
  help: SqlHelpAnswer
  past: readonly string[]
  /** Puts a query in the place of what is there. */
  put: (text: string) => void
  /** Puts a word where the cursor is. */
  insert: (text: string) => void
  text: () => string
}

export function SqlSide({ help, past, put, insert, text }: Props): JSX.Element {
  return (
    <aside class="sql-side" aria-label="What can be asked">
      <section class="panel">
        <header>
          <h2>Views</h2>
        </header>
        <ul>
          {help.views.map(({ name, doc, columns }) => (
            <li key={name}>
              <details>
                <summary>
                  <code>{name}</code>
                </summary>
                <p>
                  <Doc text={doc} />
                </p>
                <ul>
                  {columns.map(column => (
                    <Name
                      key={column.name}
                      name={column.name}
                      more={column.type}
                      title={plainDoc(column.doc)}
                      act={insert}
                    />
                  ))}
                </ul>
              </details>
            </li>
          ))}
        </ul>
      </section>
      <section class="panel">
        <header>
          <h2>Functions</h2>
        </header>
        <ul>
          {help.functions.map(({ call, returns, doc }) => (
            <Name key={call} name={call} more={returns} title={plainDoc(doc)} act={insert} />
          ))}
        </ul>
      </section>
      <OfView put={put} />
      <Saved put={put} text={text} />
      {past.length > 0 && (
        <section class="panel">
          <header>
            <h2>Run before</h2>
          </header>
          <ul>
            {past.map(sql => (
              <Name key={sql} name={sql} title={sql} act={put} />
            ))}
          </ul>
        </section>
      )}
    </aside>
  )
}

interface NameProps {
  name: string
  more?: string
  title: string
  act: (name: string) => void
}

function Name({ name, more, title, act }: NameProps): JSX.Element {
  return (
    <li>
      <button type="button" class="name" title={visible(title)} onClick={() => act(name)}>
        <code>{visible(name)}</code>
        {more !== undefined && <small>{more}</small>}
      </button>
    </li>
  )
}

/** The records of the filter and the window as a query. */
function OfView({ put }: Pick<Props, 'put'>): JSX.Element {
  const [error, tell] = useState<string | null>(null)
  const take = async (): Promise<void> => {
    try {
      const asked: Asked = await viewAsked(state.value, new AbortController().signal)
      tell(null)
      put(asked.sql)
    } catch (error) {
      tell(error instanceof AskError ? error.failure.error : String(error))
    }
  }
  return (
    <section>
      <button type="button" onClick={() => void take()}>
        Put in the SQL of the view
      </button>
      {error !== null && <p role="alert">{visible(error)}</p>}
    </section>
  )
}

const own = '/sql?'

/** Saved queries are bookmarks of this page, kept in the case's notes. */
function Saved({ put, text }: Pick<Props, 'put' | 'text'>): JSX.Element {
  const notes = useAnswer<NotesAnswer>('notes', signal => get('/api/notes', signal))
  const [name, setName] = useState('')
  const save = async (): Promise<void> => {
    const url = urlOf({ ...state.value, path: '/sql', own: { _sql: text() } })
    const change: NotesChange = { do: 'add-bookmark', name, url }
    await post('/api/notes', change)
    setName('')
    notes.again()
  }
  const saved = (notes.value?.bookmarks ?? []).filter(one => one.url.startsWith(own))
  return (
    <section class="panel">
      <header>
        <h2>Saved</h2>
      </header>
      <form
        class="sql-save"
        onSubmit={event => {
          event.preventDefault()
          void save().catch(() => notes.again())
        }}
      >
        <input
          aria-label="Name to save the query by"
          placeholder="Name"
          value={name}
          required
          onInput={event => setName(event.currentTarget.value)}
        />
        <button type="submit">Save</button>
      </form>
      <ul>
        {saved.map(one => (
          <Name key={one.id} name={one.name} title={queryOf(one)} act={() => put(queryOf(one))} />
        ))}
      </ul>
    </section>
  )
}

function queryOf({ url }: BookmarkItem): string {
  return new URLSearchParams(url.slice(own.length)).get('_sql') ?? ''
}
