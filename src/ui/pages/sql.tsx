/** Queries in SQL over the case, read-only, each within limits that the page shows. */
import './sql.css'
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { SqlFileAsk } from '../../server/contract/files.ts'
import type { LimitRange, SqlAnswer, SqlAsk, SqlHelpAnswer, SqlWrong } from '../../server/contract/sql.ts'
import { AskError, get, post, useAnswer } from '../api.ts'
import { keep, kept } from '../parts/kept.ts'
import { Opener } from '../parts/opener.tsx'
import { SaveButton } from '../parts/save-file.tsx'
import { openSqlEditor, type SqlEditor } from '../parts/sql-editor.ts'
import { SqlResult } from '../parts/sql-result.tsx'
import { SqlSide } from '../parts/sql-side.tsx'
import { ErrorBox, Shown } from '../parts/states.tsx'
import { go, state } from '../state.ts'
import { bytesText } from '../text.ts'

interface Running {
  since: number
  stop: () => void
}

interface Done {
  answer: SqlAnswer | null
  error: AskError | null
  /** The query that it is of. */
  sql: string
  round: number
}

const historyMax = 50
/** Queries that were run, the last one first. */
const past = signal<readonly string[]>(readPast())

function readPast(): string[] {
  try {
    const read: unknown = JSON.parse(kept('sql') ?? '[]')
    return Array.isArray(read) ? read.filter(one => typeof one === 'string') : []
  } catch {
    return []
  }
}

function remember(sql: string): void {
  past.value = [sql, ...past.value.filter(one => one !== sql)].slice(0, historyMax)
  keep('sql', JSON.stringify(past.value))
}

export function SqlPage(): JSX.Element {
  const help = useAnswer<SqlHelpAnswer>('sql', signal => get('/api/sql', signal))
  return (
    <>
      <div class="page-head">
        <h1>SQL</h1>
        <span class="muted">Read-only. The filter and the window above are no part of a query.</span>
      </div>
      <Shown of={help} what="what can be asked">
        {known => <Queries help={known} />}
      </Shown>
    </>
  )
}

function Queries({ help }: { help: SqlHelpAnswer }): JSX.Element {
  const { limits } = help
  const editor = useRef<SqlEditor | null>(null)
  const [rows, setRows] = useState(limits.rows.usual)
  const [seconds, setSeconds] = useState(limits.seconds.usual)
  const [running, setRunning] = useState<Running | null>(null)
  const [done, setDone] = useState<Done | null>(null)
  const run = async (plan: boolean): Promise<void> => {
    const sql = editor.current?.text() ?? ''
    if (sql.trim() === '') {
      const error = 'no query yet: the grey text is an example'
      setDone(before => ({
        ...{ answer: null, error: new AskError({ error, hint: 'write a query, or take an example' }, 0), sql },
        round: (before?.round ?? 0) + 1,
      }))
      return
    }
    running?.stop()
    const stopping = new AbortController()
    setRunning({ since: performance.now(), stop: () => stopping.abort() })
    editor.current?.setError(null, '')
    go({ own: { _sql: sql } })
    remember(sql)
    const ask: SqlAsk = { sql, rows, seconds, plan }
    const finish = (answer: SqlAnswer | null, error: AskError | null): void => {
      setRunning(null)
      setDone(before => ({ answer, error, sql, round: (before?.round ?? 0) + 1 }))
    }
    try {
      const answer = await post<SqlAnswer | SqlWrong>('/api/sql', ask, stopping.signal)
      if ('wrong' in answer) throw new AskError(answer.wrong, 400)
      finish(answer, null)
    } catch (error) {
      const failed = error instanceof AskError ? error : new AskError({ error: String(error) }, 0)
      const { failure } = stopping.signal.aborted ? new AskError({ error: 'stopped' }, 0) : failed
      editor.current?.setError(failure.at ?? null, failure.error)
      finish(null, new AskError(failure, 0))
    }
  }
  return (
    <div class="sql">
      <SqlSide
        help={help}
        past={past.value}
        put={text => put(editor.current, text)}
        text={() => editor.current?.text() ?? ''}
        insert={text => insert(editor.current, text)}
      />
      <div class="sql-main">
        <Editor help={help} run={() => void run(false)} opened={one => (editor.current = one)} />
        <div class="sql-bar">
          <button type="button" class="main" onClick={() => void run(false)} title="Ctrl-Enter">
            Run
          </button>
          <button type="button" onClick={() => void run(true)}>
            Plan
          </button>
          <Limit name="Rows" value={rows} range={limits.rows} set={setRows} />
          <Limit name="Seconds" value={seconds} range={limits.seconds} set={setSeconds} />
          <span class="muted">
            {bytesText(limits.memoryBytes)} of memory, {bytesText(limits.bytes)} an answer
          </span>
          <div class="rest">
            <Download sql={() => editor.current?.text() ?? ''} seconds={seconds} />
          </div>
        </div>
        <div id="sql-said">
          {running !== null && <RunningBox {...running} />}
          {running === null && done?.error != null && (
            <ErrorBox error={done.error.failure.error} hint={done.error.failure.hint} />
          )}
        </div>
        {done?.answer != null && <SqlResult key={done.round} answer={done.answer} isOld={running !== null} />}
      </div>
    </div>
  )
}

function put(editor: SqlEditor | null, text: string): void {
  editor?.setText(text)
  editor?.setError(null, '')
  editor?.focus()
}

function insert(editor: SqlEditor | null, text: string): void {
  editor?.insert(text)
  editor?.focus()
}

interface EditorProps {
  help: SqlHelpAnswer
  run: () => void
  opened: (editor: SqlEditor | null) => void
}

/** The query of the address is in it, and not run: who opens a link decides that. */
function Editor({ help, run, opened }: EditorProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const editor = useRef<SqlEditor | null>(null)
  const held = useRef(run)
  held.current = run
  const text = state.value.own['_sql'] ?? ''
  // Before the page can be used: a button that was pressed without an editor would find no query.
  useLayoutEffect(() => {
    editor.current = openSqlEditor(place.current!, text, help, () => held.current())
    opened(editor.current)
    return () => {
      editor.current?.close()
      opened(null)
    }
  }, [])
  useEffect(() => {
    if (text !== '') editor.current?.setText(text)
  }, [text])
  return <div ref={place} class="editor sql-editor" />
}

interface LimitProps {
  name: string
  value: number
  range: LimitRange
  set: (value: number) => void
}

function Limit({ name, value, range, set }: LimitProps): JSX.Element {
  return (
    <label title={`at most ${range.most}`}>
      {name}{' '}
      <input
        type="number"
        min={1}
        max={range.most}
        value={value}
        onChange={event => {
          const wanted = Math.round(Number(event.currentTarget.value))
          const within = Math.min(range.most, Math.max(1, Number.isFinite(wanted) ? wanted : range.usual))
          event.currentTarget.value = String(within)
          set(within)
        }}
      />
    </label>
  )
}

function RunningBox({ since, stop }: Running): JSX.Element {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 250)
    return () => clearInterval(timer)
  }, [])
  return (
    <p class="waiting" role="status">
      Running: {Math.floor((performance.now() - since) / 1000)} s
      <button type="button" onClick={stop}>
        Stop
      </button>
    </p>
  )
}

function Download({ sql, seconds }: { sql: () => string; seconds: number }): JSX.Element {
  return (
    <Opener name="Download all rows of the query" class="" label="Download">
      {() => {
        const question = (format: SqlFileAsk['format']): SqlFileAsk => ({ sql: sql(), seconds, format })
        return (
          <div class="saves">
            <p class="muted">All rows of the query that stands in the editor, without the limit of rows.</p>
            <SaveButton label="CSV" path="/api/sql/file" question={question('csv')} />
            <SaveButton label="NDJSON" path="/api/sql/file" question={question('ndjson')} />
          </div>
        )
      }}
    </Opener>
  )
}
