import { columnsOfFormat } from '../flow-text/columns.ts'
import { connLogOf } from '../flow-text/conn-log.ts'
import type { Table } from '../flow-text/flow.ts'
import { flowTableOf, looksLikeFlowRow } from '../flow-text/flow-table.ts'
import type { Damage } from '../input/expand.ts'
import { foreignOf } from '../input/foreign.ts'
import type { Content } from '../input/sniff.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { faultOfHeader, headerOf, isStamped } from '../vpc-text/header.ts'
import { type Layout, layoutOfFormat } from '../vpc-text/layout.ts'
import { type Encoding, encodingOf, type TextForm } from '../vpc-text/plain-text.ts'
import { Unwrapping, withinOf, withinText } from '../vpc-text/within.ts'
import { isSurelyRecord, looksLikeRecord, prefixOf } from '../vpc-text/wrapped.ts'

/** What a file is, from the beginning of its content: how to read it, or why it is not read. */
export interface Verdict {
  reader: { layout: Layout | null; stamped: boolean; form: TextForm | null } | null
  /** Another program's table of flows, which is read in another way; `form`: its encoding, if it is not UTF-8. */
  table: { table: Table; form: TextForm | null } | null
  /** An archive, the files of which are to be read. */
  archive?: 'zip' | 'tar'
  status: EvidenceEntry['status']
  problem: string | null
}

export const headBytes = 64 << 10
const CR = 13
const LF = 10

/** The content that is to be judged: its beginning, and where it goes on. */
export interface Judged {
  content: Content
  head: Uint8Array
  rest: AsyncIterable<Uint8Array>
  /** Where unpacking has ended too early, as far as it has come. */
  damage: () => Damage | null
}

/** What `--format` names: fields of flow logs, or columns of another program's table of flows. */
export interface Format {
  layout: Layout | null
  columns: readonly string[] | null
}

/** @throws UserError */
export function formatOf(text: string, unknown: boolean): Format {
  const columns = columnsOfFormat(text, unknown)
  return columns === null ? { layout: layoutOfFormat(text, { unknown }), columns } : { layout: null, columns }
}

export async function judge({ content, head, rest, damage }: Judged, format: Format | null): Promise<Verdict> {
  if (content === 'empty') return damaged(damage()) ?? notEvidence('empty')
  if (content === 'parquet')
    return damaged(damage()) ?? unreadable('a packed Parquet file: unpack it and add the result')
  // First of all: the header of nfdump's CSV passes for the head of a capture of Endace.
  const table = tableOf(head, format?.columns ?? null)
  if (table !== null) return { reader: null, table, status: 'read', problem: null }
  const foreign = await foreignOf(head, rest)
  if (foreign !== null) {
    // Of a tar archive that is damaged, what comes before the damage is read.
    if (foreign.archive !== undefined) return { ...unreadable(foreign.problem), archive: foreign.archive }
    return damaged(damage()) ?? (foreign.hides ? unreadable(foreign.problem) : notEvidence(foreign.problem))
  }
  const ofText = judgeText(head, format?.layout ?? null)
  if (ofText !== null) return ofText
  if (content === 'text') return tableWithoutHeader(head) ?? notEvidence(notText(head))
  return damaged(damage()) ?? notEvidence('no flow log, capture or nfcapd file')
}

function tableOf(head: Uint8Array, columns: readonly string[] | null): Verdict['table'] {
  const { encoding } = encodingOf(head)
  const text = decoded(head, encoding)
  const table = connLogOf(text) ?? flowTableOf(text, columns)
  return table === null ? null : { table, form: encoding === 'utf-8' ? null : { encoding, within: null } }
}

/** Text of the head, which may end within a letter. */
function decoded(head: Uint8Array, encoding: Encoding): string {
  return new TextDecoder(encoding).decode(head.subarray(0, encoding === 'utf-8' ? head.length : head.length & ~1))
}

/** Flows of another program of which nothing says which column is what. */
function tableWithoutHeader(head: Uint8Array): Verdict | null {
  const line = firstLine(head)
  if (line.startsWith('Date first seen'))
    return unreadable('what nfdump prints for people: add the nfcapd file itself, or what nfdump -o csv prints')
  if (!looksLikeFlowRow(line)) return null
  return unreadable(
    'a table of flows, but no line names its columns: say which with --format (rwcut, yafscii, nfdump or the column names)',
  )
}

export function damaged(damage: Damage | null): Verdict | null {
  return damage === null ? null : unreadable(`byte ${damage.offset}: ${damage.problem}`)
}

function unreadable(problem: string): Verdict {
  return { reader: null, table: null, status: 'unreadable', problem }
}

function notEvidence(problem: string): Verdict {
  return { reader: null, table: null, status: 'not-evidence', problem }
}

function notText(head: Uint8Array): string {
  const what = /^[[{]/.test(firstLine(head)) ? 'JSON' : 'text'
  return `${what}, but no flow log: neither a header line nor a flow record`
}

/**
 * Whether text is a flow log, by its first line that is not blank; null if it is not. Never a guess: a header names the fields, or
 * `--format` does. Records after something else are told as unreadable: a header that was damaged must not hide them.
 */
function judgeText(head: Uint8Array, format: Layout | null): Verdict | null {
  const { encoding, mark } = encodingOf(head)
  const isPlain = encoding === 'utf-8' && mark === 0
  // The usual case, without a look at more than its first line. A zero byte in a log is damage to one line, not another kind of file.
  if (isPlain && isHeader(firstLine(head))) return asLines(firstLine(head), null)
  const text = decoded(head, encoding)
  const within = withinOf(text, format?.fields.length ?? null)
  const form = isPlain && within === null ? null : { encoding, within }
  if (within === null) return judgeLines(text, format, form)
  const unwrapping = new Unwrapping(within, format?.fields ?? null)
  unwrapping.feed(text)
  return judgeLines(new TextDecoder().decode(unwrapping.units.take()), format, form)
}

function isHeader(line: string): boolean {
  const header = headerOf(line)
  return header !== null && header !== 'damaged'
}

function asLines(header: string, form: TextForm | null): Verdict {
  return { reader: { layout: null, stamped: isStamped(header), form }, table: null, status: 'read', problem: null }
}

/** `form`: what the lines were taken out of. */
function judgeLines(text: string, format: Layout | null, form: TextForm | null): Verdict | null {
  const lines = text.split('\n').map(line => line.replace(/\r$/, ''))
  const first = lines.find(line => line !== '') ?? ''
  const isTitle = form?.within?.kind === 'cells' && form.within.column !== null && form.within.title !== null
  // A row of column names stands for the fields that `--format` names, which then are those of the lines as well.
  if (isHeader(first) && !isTitle) return asLines(first, form)
  // Before `--format`, which cannot help where each record has something before it.
  const prefix = prefixOf(lines, format?.fields.length ?? null)
  if (prefix !== null) return unreadable(prefix)
  const records = lines.filter(looksLikeRecord)
  // By most of them: the first may be damaged.
  const stamped = records.filter(isStamped).length * 2 > records.length
  const isWithin = form?.within != null
  if (!isWithin && /^[[{]/.test(first)) return null
  const atOnce = looksLikeRecord(first) || isWithin
  if (!atOnce && !records.some(isSurelyRecord)) return null
  if (format) return { reader: { layout: format, stamped, form }, table: null, status: 'read', problem: null }
  const header = lines.find(isHeader)
  if (isWithin && header !== undefined) return asLines(header, form)
  const why =
    headerOf(first) === 'damaged'
      ? `their header cannot be read: ${faultOfHeader(first, false)}`
      : atOnce
        ? 'no header line names their fields'
        : 'their first line is not a header that names their fields'
  const what = form?.within == null ? '' : ` (${withinText(form.within)})`
  return unreadable(
    `flow records${what}, but ${why}: say which with --format (default, v3, v5, tgw or the field names)`,
  )
}

/** The first line that is not blank, as far as it is in the head. */
function firstLine(head: Uint8Array): string {
  let from = 0
  while (head[from] === CR || head[from] === LF) from++
  const newline = head.indexOf(LF, from)
  const end = Math.min(newline < 0 ? head.length : newline, from + headBytes)
  return new TextDecoder().decode(head.subarray(from, end)).replace(/\r$/, '')
}
