/** Answers: one record, and the line that it was read from. */
import { UserError } from '../../errors.ts'
import { recordsAt } from '../../flows/places.ts'
import { aggregate, all, column, compare, equal, named, own, parameter, select, table } from '../../query/build.ts'
import { duckdb } from '../../query/duckdb-printer.ts'
import type { Expression, Query } from '../../query/nodes.ts'
import type { EvidenceKind } from '../../records/evidence-kind.ts'
import type { Case } from '../../store/case.ts'
import type { Row } from '../../store/duckdb.ts'
import type { EvidenceEntry } from '../../store/ledger.ts'
import { question } from '../../store/question.ts'
import { isMetered } from '../../store/reports.ts'
import { Places, verbatimLines } from '../../verbatim/lines.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type { FieldCell } from '../contract/flows.ts'
import type { LineText, RecordAnswer } from '../contract/record.ts'
import { fieldColumn } from './field-columns.ts'

/** Lines before it, and after it. */
const around = 10
/** Of a longer line the rest is not shown. */
const charactersMax = 4000

interface RecordAsk {
  file: string
  line: number
}

async function recordAnswer(c: Case, asked: RecordAsk, { signal }: WorkContext): Promise<RecordAnswer> {
  const file = fileOf(c, asked.file)
  const { line } = asked
  const evidence: EvidenceKind = isMetered(file) ? 'packets' : 'logs'
  const places = [0, 1].map(way => ({ file: file.id!, line, way }))
  const { columns, records } = await recordsAt(c, evidence, places, { signal })
  const found = records.filter(one => one !== null) as FieldCell[][]
  const beside = await neighbours(c, evidence, file.id!, line, signal)
  const otherwise = found.length > 0 ? null : await otherLine(c, file, line, signal)
  return {
    file: fileAnswer(file),
    line,
    is: file.capture !== null ? 'packet' : file.nfcapd !== null ? 'record' : 'line',
    columns: columns.map(one => fieldColumn(one, evidence)),
    records: found,
    otherwise,
    text: await textAround(c, file, line, signal),
    ...beside,
    captures: c.evidence.filter(one => one.capture !== null && one.id !== null).length,
  }
}

/** @throws UserError where the case has no such file. */
function fileOf(c: Case, name: string): EvidenceEntry {
  const file = /^\d{1,10}$/.test(name)
    ? c.evidence.find(({ id }) => id === Number(name))
    : c.evidence.find(({ id, sha256 }) => id !== null && sha256 === name)
  if (file !== undefined) return file
  throw new UserError(`no file of the case has this number or digest: ${name}`, {
    hint: 'it may have been removed, or read again under another number: the page Evidence lists the files',
    status: 2,
  })
}

function fileAnswer(file: EvidenceEntry): RecordAnswer['file'] {
  const { id, path, sha256, kind, size, layout, form, records } = file
  const layouts = (layout ?? '').split(';').filter(text => text.trim() !== '')
  return { id: id!, path, sha256, kind, size, layouts, form, records }
}

async function asked(c: Case, query: Query, signal: AbortSignal): Promise<Row[]> {
  const { text, values } = duckdb.print(query)
  return question(c, signal, case_ => case_.db.rows(text, values))
}

function isOfFile(file: number): Expression {
  return equal(column('_file'), parameter(file, 'u32'))
}

/** The lines of the records before and after. */
async function neighbours(
  c: Case,
  evidence: EvidenceKind,
  file: number,
  line: number,
  signal: AbortSignal,
): Promise<Pick<RecordAnswer, 'previous' | 'next'>> {
  const from = table(evidence === 'logs' ? 'flows' : 'packet_flows')
  const beside = async (how: 'max' | 'min'): Promise<number | null> => {
    const where = all([isOfFile(file), compare(how === 'max' ? '<' : '>', column('_line'), parameter(line, 'u32'))])
    const [row] = await asked(c, select([named(aggregate(how, column('_line')), 'line')], { from, where }), signal)
    return row?.['line'] == null ? null : Number(row['line'])
  }
  return { previous: await beside('max'), next: await beside('min') }
}

/** What a line is that made no record. */
async function otherLine(c: Case, file: EvidenceEntry, line: number, signal: AbortSignal): Promise<string> {
  const problem = c.problems.find(
    ({ path, line: from, line_to: to }) => path === file.path && from != null && from <= line && line <= (to ?? from),
  )
  if (problem !== undefined) return `it could not be read: ${problem.problem}`
  if (isMetered(file)) return 'no record begins here'
  const where = all([isOfFile(file.id!), equal(column('_line'), parameter(line, 'u32'))])
  const [row] = await asked(c, select([own('status')], { from: table('silence'), where }), signal)
  if (row !== undefined)
    return row['status'] === 'NODATA'
      ? 'a NODATA line: the sensor saw no traffic in that interval'
      : `a ${String(row['status'])} line: records of that interval were dropped`
  return 'a header, a blank line, or beyond the end of the file'
}

async function textAround(c: Case, file: EvidenceEntry, line: number, signal: AbortSignal): Promise<LineText> {
  const places = new Places()
  const first = Math.max(1, line - around)
  for (let one = first; one <= line + around; one++) places.add(file.path, one)
  if (file.header_lines > 0) places.add(file.path, 1)
  const lines: LineText['lines'] = []
  let header: string | null = null
  let problem: string | null = null
  // Another file of the case may have the same path.
  for await (const one of verbatimLines({ ...c, evidence: [file] }, places, { signal })) {
    if ('unread' in one) problem = one.unread.problem
    else if (one.line.line >= first) lines.push(cutLine(one.line))
    if ('line' in one && one.line.line === 1 && file.header_lines > 0) header = cutLine(one.line).text
  }
  if (lines.some(one => one.line === line)) return { state: 'same', problem: null, header, lines }
  return { state: stateOf(file, problem), problem, header, lines }
}

function stateOf(file: EvidenceEntry, problem: string | null): LineText['state'] {
  if (file.kind === 'vpc-flow-log-parquet' || file.capture !== null || file.nfcapd !== null) return 'not-text'
  return problem !== null && /changed/.test(problem) ? 'changed' : 'not-there'
}

function cutLine({ line, text }: { line: number; text: string }): LineText['lines'][number] {
  return { line, text: text.slice(0, charactersMax), cut: text.length > charactersMax }
}

export const recordWork: Readonly<Record<string, Answerer<Case>>> = { record: recordAnswer }
