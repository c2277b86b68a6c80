import { UserError } from '../errors.ts'
import { contextOf, preparedRecords } from '../filter/context.ts'
import { compileFor, type FilesAsked } from '../filter/enriched-context.ts'
import { parse } from '../filter/filter.ts'
import { parseAddress } from '../net/address.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import {
  all,
  among,
  any,
  call,
  column,
  compare,
  constant,
  equal,
  inPrefixes,
  microseconds,
  named,
  own,
  parameter,
  select as selectRows,
  table,
  trusted,
} from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Expression, Item, Query } from '../query/nodes.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import { question } from '../store/question.ts'

/** What is wanted: packets of flow records that a filter matches, of connections, or between ends in a time (as a finding has them). */
export type Wanted =
  | ({ kind: 'filter'; text: string; nfdump?: boolean } & FilesAsked)
  | { kind: 'community'; ids: string[] }
  | { kind: 'services'; services: WantedService[]; time?: TimeSpan | null }

/** ISO 8601 in UTC. */
export interface TimeSpan {
  first_start: string
  last_end: string
}

export interface WantedService {
  client: string
  server: string
  /** Null for protocols without ports, and where it is not known. */
  port: number | null
  /** Null where it is not known: any is taken. */
  protocol: number | null
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

const flowColumns = conversationColumns('srcaddr', 'srcport', 'dstaddr', 'dstport')
const connectionColumns = conversationColumns('orig_addr', 'orig_port', 'resp_addr', 'resp_port')

/** Both ends of a record, and its time. */
function conversationColumns(from: string, fromPort: string, to: string, toPort: string): Item[] {
  const half = (name: string, which: 'upper-half' | 'lower-half'): Expression => call(which, column(name))
  return [
    own('_file'),
    ...[named(half(from, 'upper-half'), 'src_hi'), named(half(from, 'lower-half'), 'src_lo')],
    named(column(fromPort), 'srcport'),
    ...[named(half(to, 'upper-half'), 'dst_hi'), named(half(to, 'lower-half'), 'dst_lo')],
    named(column(toPort), 'dstport'),
    own('protocol'),
    ...[named(microseconds(column('start')), 'start_us'), named(microseconds(column('end')), 'end_us')],
  ]
}

async function rowsOf(c: Case, wanted: Wanted, internal: readonly Prefix[]): Promise<Row[]> {
  const { text, values } = duckdb.print(await queryOf(c, wanted, internal))
  return c.db.rows(text, values)
}

async function queryOf(c: Case, wanted: Wanted, internal: readonly Prefix[]): Promise<Query> {
  switch (wanted.kind) {
    case 'filter': {
      const { columns } = contextOf(c, 'packet_flows', internal)
      const filter = parse(wanted.text, { nfdump: wanted.nfdump === true, columns })
      const { compiled, internal: all } = await compileFor(c, filter, 'packet_flows', internal, wanted)
      const records = await preparedRecords(c, compiled, 'packet_flows', all)
      return selectRows(flowColumns, { from: trusted(records, []), where: compiled.where })
    }
    case 'community': {
      const ids = wanted.ids.map(id => parameter(id))
      return selectRows(connectionColumns, { from: table('connections'), where: among(column('community_id'), ids) })
    }
    default:
      return selectRows(connectionColumns, { from: table('connections'), where: any(wanted.services.map(isOf)) })
  }
}

/** Whether a connection is of a service, within its time. */
function isOf(service: WantedService): Expression {
  const client = addressOf(service.client)
  const server = addressOf(service.server)
  const pair = (one: string, other: string): Expression =>
    all([
      inPrefixes(column(`${one}_addr`), [client]),
      inPrefixes(column(`${other}_addr`), [server]),
      ...(service.port === null ? [] : [equal(column(`${other}_port`), constant(service.port))]),
    ])
  return all([
    ...(service.protocol === null ? [] : [equal(column('protocol'), constant(service.protocol))]),
    any([pair('orig', 'resp'), pair('resp', 'orig')]),
    compare('<=', microseconds(column('start')), constant(service.to_us)),
    compare('>=', microseconds(column('end')), constant(service.from_us)),
  ])
}

function addressOf(text: string): Prefix {
  const prefix = parseAddress(text) === null ? null : parsePrefix(text)
  if (prefix === null) throw new UserError(`not an address: ${text}`)
  return prefix
}
