/** One answer of Trino to a statement: it is checked, not believed. What is no page of rows must not look like one without any. */
import { UserError } from '../errors.ts'
import type { TextRow } from './engine.ts'

export interface TrinoPage {
  id: string
  /** Path, with its query, where the next page is; null: this is the last one. */
  next: string | null
  data: TextRow[]
  state: string
  /** Null: not told. */
  bytes: number | null
  rows: number | null
  /** From 0 to 1; null: not told. */
  done: number | null
  error: { message: string; errorName: string; errorType: string } | null
}

/** Trino ends a page at 128 MB of rows at the latest. */
const pageBytesMost = 256 << 20

/**
 * Reads an answer.
 *
 * @throws UserError for what is no page; SyntaxError or an error of the network where it does not come whole.
 */
export async function pageIn(answer: Response): Promise<TrinoPage> {
  return pageOf(JSON.parse(await textOf(answer)))
}

async function textOf({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length
    if (bytes > pageBytesMost) throw strange(`it has more than ${pageBytesMost >> 20} MiB`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

type Fields = Record<string, unknown>

function pageOf(value: unknown): TrinoPage {
  if (!isFields(value)) throw strange('it is no object')
  const { id, nextUri, data = [], error = null } = value
  const stats = isFields(value['stats']) ? value['stats'] : {}
  if (typeof id !== 'string') throw strange('it names no statement')
  const next = nextUri === undefined || nextUri === null ? null : pathOf(nextUri)
  const state = textIn(stats, 'state')
  // The last page says that the statement has ended: without it there may be more rows.
  if (next === null && error === null && state !== 'FINISHED')
    throw strange('it does not say where the next page is, nor that it is the last one')
  const done = numberIn(stats, 'progressPercentage')
  return {
    ...{ id, next, data: rowsIn(data, value['columns']), state },
    ...{ bytes: numberIn(stats, 'physicalInputBytes'), rows: numberIn(stats, 'processedRows') },
    done: done === null ? null : done / 100,
    error: error === null ? null : errorOf(isFields(error) ? error : {}),
  }
}

/** Where it is asked next: always the engine that was named, whatever host an answer names. */
function pathOf(next: unknown): string {
  const url = typeof next === 'string' ? urlOf(next) : null
  // The path of an address of another kind may begin in the middle of a port or of a host's name.
  const isPlain = url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
  if (!isPlain) throw strange('it does not say where the next page is')
  return `${url.pathname}${url.search}`
}

function urlOf(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

/** Every column was asked for as text: a number could have been rounded. */
function rowsIn(data: unknown, columns: unknown): TextRow[] {
  if (data === null) return []
  if (!Array.isArray(data)) throw strange('its rows are no list')
  const rows: readonly unknown[] = data
  const [first] = rows
  const width = Array.isArray(columns) ? columns.length : Array.isArray(first) ? first.length : null
  if (width === null && rows.length > 0) throw strange('a row is no list')
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== width) throw strange(`a row does not have ${width} values`)
    for (const value of row as unknown[])
      if (value !== null && typeof value !== 'string') throw strange('a value is neither text nor null')
  }
  return rows as TextRow[]
}

function errorOf(error: Fields): NonNullable<TrinoPage['error']> {
  const [message, errorName, errorType] = ['message', 'errorName', 'errorType'].map(name => textIn(error, name))
  return { message: message!, errorName: errorName!, errorType: errorType! }
}

function textIn(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

function numberIn(fields: Fields, name: string): number | null {
  const value = fields[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function strange(how: string): UserError {
  return new UserError(`the engine's answer is not one of Trino: ${how}`, {
    hint: 'is it a coordinator of Trino, and does nothing between here and there alter its answers?',
  })
}
