/** What `tidemark flows` answers for each figure of a view, in the words of the view. */
import assert from 'node:assert/strict'
import type { FlowsRequest, FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import type { Case } from '../../src/store/case.ts'
import type { MatchedRows } from '../../src/timeline/matched-rows.ts'
import type { Range, RangeOptions, View, Window } from '../../src/timeline/timeline.ts'
import { answerOf } from '../flows/support.ts'

type Value = FlowsRow[string] | undefined

/** As a view has them: what passes 2^53 is text. */
function plain(value: Value): Value {
  return typeof value === 'bigint' ? String(value) : value
}

const cells = (row: FlowsRow, ...names: string[]): Value[] => names.map(name => plain(row[name] ?? null))

/** The rows of a list, by `flows`. */
async function listed(c: Case, request: FlowsRequest, key: string): Promise<Value[][]> {
  const { rows } = await answerOf(c, request)
  return rows.map(row => cells(row, key, 'records', 'rejected', 'bytes'))
}

/** What each host has, by its name, of all of them. */
async function bytesOf(c: Case, request: FlowsRequest, key: string): Promise<Map<Value, Value>> {
  const { rows } = await answerOf(c, { ...request, limit: null })
  return new Map(rows.map(row => [row[key] ?? null, plain(row['bytes'])]))
}

async function totalsOf(c: Case, request: FlowsRequest): Promise<object> {
  const { counting } = await queryFlows(c, request)
  const { records, rejected, packets, bytes, collapsed, unknown, unsummed } = counting
  const all = { records, rejected, packets, bytes, collapsed, unknown, unsummed }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, plain(value)]))
}

/** Every row and total of a window, as `flows` has it. */
export async function requireSame(
  c: Case,
  view: View,
  window: Window,
  options: RangeOptions & { complete: true },
): Promise<Range> {
  const range = await view.range(window, options)
  const asked = view.requests(window, options)
  const about = JSON.stringify(asked.totals)
  const { unknown, totals } = range
  assert.deepEqual({ ...totals, unknown }, { ...(await totalsOf(c, asked.totals)) }, about)
  const volume = ({ records, rejected, bytes }: Range['hosts']['rows'][number]): Value[] => [records, rejected, bytes]
  const hosts = range.hosts.rows.map(row => [row.host, ...volume(row)])
  assert.deepEqual(hosts, await listed(c, asked.hosts, 'ip'), about)
  const sent = await bytesOf(c, asked.sent, 'srcaddr')
  const received = await bytesOf(c, asked.received, 'dstaddr')
  const has = (of: Map<Value, Value>, host: string | null): Value => (of.has(host) ? of.get(host) : none(view, c))
  for (const row of range.hosts.rows) {
    assert.deepEqual([row.host, row.sent], [row.host, has(sent, row.host)], about)
    assert.deepEqual([row.host, row.received], [row.host, has(received, row.host)], about)
  }
  const list = <Key extends string>(rows: readonly ({ [K in Key]: unknown } & object)[], key: Key): unknown[][] =>
    rows.map(row => [row[key], ...volume(row as never)])
  assert.deepEqual(list(range.ports.rows, 'port'), await listed(c, asked.ports, 'server_port'), about)
  if (range.sensors !== null)
    assert.deepEqual(list(range.sensors, 'sensor'), await listed(c, asked.sensors, 'sensor'), about)
  if (c.columns.has('action'))
    assert.deepEqual(list(range.actions, 'action'), await listed(c, asked.actions, 'action'), about)
  assert.deepEqual(list(range.protocols, 'protocol'), await listed(c, asked.protocols, 'protocol'), about)
  return range
}

/** What a host moved in a way of which it has no record. */
function none(_: View, { columns }: Case): number | null {
  return columns.has('bytes') ? 0 : null
}

/** Some rows of a window, as `flows` lists them. */
export async function requireSameRows(
  c: Case,
  view: View,
  matching: MatchedRows,
  window: Window | null,
  offset: number,
  count: number,
): Promise<void> {
  const { rows } = await answerOf(c, { ...view.requests(window).rows, limit: null })
  const files = new Map(c.evidence.map(file => [file.path, file.id]))
  const wanted = rows.map(row => ({ file: files.get(String(row['path'])), line: row['line'] ?? row['packet'] }))
  const found = await matching.rows(window, offset, count)
  assert.equal(found.count, wanted.length)
  assert.deepEqual(found.rows, wanted.slice(offset, offset + count), JSON.stringify(view.requests(window).rows))
}
