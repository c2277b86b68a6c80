import { UserError } from '../errors.ts'
import { compile } from '../filter/compile.ts'
import { contextOf, preparedRecords } from '../filter/context.ts'
import { parse } from '../filter/filter.ts'
import { type Address, parseAddress } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import { question } from '../store/question.ts'

/** What is wanted: packets of flow records that a filter matches, of connections, or between ends in a time (as a finding has them). */
export type Wanted =
  | { kind: 'filter'; text: string; nfdump: boolean }
  | { kind: 'community'; ids: string[] }
  | { kind: 'services'; services: WantedService[] }

export interface WantedService {
  client: string
  server: string
  /** Null for protocols without ports. */
  port: number | null
  protocol: number
  /** By the clock of the capture. */
  from_us: number
  to_us: number
}

/** One conversation in a time; both directions. */
interface Stretch {
  from_us: number
  to_us: number
  /** The end whose record it is: its packets lie in the time. Null: both ends' do. */
  source: string | null
}

/** Answers may come that much before and after the record of the other direction. */
const answer_us = 1_000_000

/** Whether a packet that `source` sent at this time is of one of the stretches. */
export function isWithin(stretches: readonly Stretch[], time: number, source: string): boolean {
  return stretches.some(one => {
    const slack = one.source === null || one.source === source ? 0 : answer_us
    return time >= one.from_us - slack && time <= one.to_us + slack
  })
}

/** The conversations whose packets are wanted, by file. */
export class Selection {
  /** Flow records or connections that were matched. */
  matched = 0
  private readonly byFile = new Map<number, Map<string, Stretch[]>>()

  add(file: number, key: string, stretch: Stretch): void {
    const keys = this.byFile.get(file) ?? new Map<string, Stretch[]>()
    this.byFile.set(file, keys)
    const stretches = keys.get(key)
    if (stretches === undefined) keys.set(key, [stretch])
    else stretches.push(stretch)
    this.matched++
  }

  /** The conversations of one file; none: nothing of it is wanted. */
  of(file: number): ReadonlyMap<string, readonly Stretch[]> | null {
    return this.byFile.get(file) ?? null
  }
}

/** The same text for both directions of a conversation. ICMP and others without ports: by their ends alone. */
export function conversationKey(a: string, b: string, protocol: number): string {
  return a < b ? `${a} ${b} ${protocol}` : `${b} ${a} ${protocol}`
}

export function endKey(hi: bigint | number, lo: bigint | number, port: number | null): string {
  return `${BigInt(hi).toString(16)}.${BigInt(lo).toString(16)}.${port ?? ''}`
}

/** Finds the conversations in the case's captures. */
export async function select(
  c: Case,
  wanted: Wanted,
  internal: readonly Prefix[] = [],
  signal?: AbortSignal,
): Promise<Selection> {
  const selection = new Selection()
  for (const row of await question(c, signal, own => rowsOf(own, wanted, internal))) {
    const protocol = Number(row['protocol'])
    const port = (name: string): number | null => (row[name] === null ? null : Number(row[name]))
    const a = endKey(row['src_hi'] as bigint, row['src_lo'] as bigint, port('srcport'))
    const b = endKey(row['dst_hi'] as bigint, row['dst_lo'] as bigint, port('dstport'))
    selection.add(Number(row['_file']), conversationKey(a, b, protocol), {
      from_us: Number(row['start_us']),
      to_us: Number(row['end_us']),
      source: wanted.kind === 'filter' ? a : null,
    })
  }
  return selection
}

const flowColumns =
  rawSql(`_file, srcaddr.hi AS src_hi, srcaddr.lo AS src_lo, srcport, dstaddr.hi AS dst_hi, dstaddr.lo AS dst_lo, dstport, protocol,
  epoch_us(start) AS start_us, epoch_us("end") AS end_us`)
const connectionColumns =
  rawSql(`_file, orig_addr.hi AS src_hi, orig_addr.lo AS src_lo, orig_port AS srcport, resp_addr.hi AS dst_hi, resp_addr.lo AS dst_lo,
  resp_port AS dstport, protocol, epoch_us(start) AS start_us, epoch_us("end") AS end_us`)

async function rowsOf(c: Case, wanted: Wanted, internal: readonly Prefix[]): Promise<Row[]> {
  const query = await queryOf(c, wanted, internal)
  return c.db.rows(query.text, query.values)
}

async function queryOf(c: Case, wanted: Wanted, internal: readonly Prefix[]): Promise<Sql> {
  switch (wanted.kind) {
    case 'filter': {
      const context = contextOf(c, 'packet_flows', internal)
      const filter = parse(wanted.text, { nfdump: wanted.nfdump, columns: context.columns })
      const compiled = compile(filter, context)
      const records = await preparedRecords(c, compiled, 'packet_flows', internal)
      return sql`SELECT ${flowColumns} FROM ${rawSql(records)} WHERE ${compiled.where}`
    }
    case 'community':
      return sql`SELECT ${connectionColumns} FROM connections WHERE list_contains(string_split(${wanted.ids.join(' ')}, ' '), community_id)`
    default: {
      const tests = wanted.services.map(serviceSql)
      const text = tests.map(test => `(${test.text})`).join(' OR ') || 'false'
      const any: Sql = { text, values: tests.flatMap(test => test.values) }
      return sql`SELECT ${connectionColumns} FROM connections WHERE ${any}`
    }
  }
}

function serviceSql(service: WantedService): Sql {
  const client = addressOf(service.client)
  const server = addressOf(service.server)
  const pair = (one: string, other: string): Sql =>
    sql`(${is(`${one}_addr`, client)} AND ${is(`${other}_addr`, server)} AND ${
      service.port === null ? rawSql('true') : sql`${rawSql(`${other}_port`)} = ${service.port}`
    })`
  return sql`protocol = ${service.protocol} AND (${pair('orig', 'resp')} OR ${pair('resp', 'orig')})
    AND epoch_us(start) <= ${service.to_us} AND epoch_us("end") >= ${service.from_us}`
}

function is(column: string, address: Address): Sql {
  return sql`${rawSql(column)}.hi = ${address.hi}::UBIGINT AND ${rawSql(column)}.lo = ${address.lo}::UBIGINT`
}

function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address === null) throw new UserError(`not an address: ${text}`)
  return address
}
