/** The type of a request's rows, worked out from the request. What a request says in plain strings cannot be known, and has any column. */

import type { flowFields } from '../records/fields.ts'
import type { packetFlowFields } from '../records/packet-fields.ts'
import type { Elements } from './names.ts'
import type { Cell, FlowsRequest, FlowsRow } from './request.ts'

/** A count: a bigint beyond 2^53. */
type Count = number | bigint

interface Cells {
  u8: number
  u16: number
  u64: Count
  /** ISO 8601, UTC. */
  time: string
  address: string
  text: string
  id: string
}

type Field = (typeof flowFields)[number] | (typeof packetFlowFields)[number]
type Fields = { [F in Field as F['name']]: Cells[F['type']] | null }

/** One flow record: where it is, and the fields that the case has. */
export type ListedRow = { path: string; line?: number; packet?: number } & Partial<Fields> & {
    [other: string]: Cell | undefined
  }

/** The columns of every group. `rejected` only where the records have an `action`. */
interface Counts {
  records: Count
  rejected?: Count
  packets: Count | null
  bytes: Count | null
}

interface Spans {
  /** First packet, ISO 8601, UTC. */
  start: string | null
  /** Last packet, ISO 8601, UTC. */
  end: string | null
  /** Milliseconds. */
  duration: Count | null
  /** Bits a second. */
  bps: Count | null
  /** Packets a second. */
  pps: Count | null
  /** Bytes a packet. */
  bpp: Count | null
}

interface WayBack {
  out_packets: Count | null
  out_bytes: Count | null
  /** Pairs whose other way the filter does not ask for; only where it asks for one. */
  not_asked?: Count
}

type Compared = { [N in keyof Counts as N | `${N}_before` | `${N}_change`]: Counts[N] }

/** The column of an element: `srcip` is `srcaddr`, `srcip4/24` is `srcaddr_net4`. */
type ColumnOf<E extends string> = E extends `${infer Address}4/${number}`
  ? `${FieldOf<Address>}_net4`
  : E extends `${infer Address}6/${number}`
    ? `${FieldOf<Address>}_net6`
    : FieldOf<E>

type FieldOf<E extends string> = E extends 'role' | 'service' ? E : E extends keyof Elements ? Elements[E] : E

type Value<Column extends string> = Column extends keyof Fields
  ? Fields[Column]
  : Column extends 'ip' | 'pkt_ip' | 'sensor' | 'role' | 'service' | `${string}_net${4 | 6}`
    ? string | null
    : Column extends 'port' | 'as' | 'if' | 'server_port'
      ? Count | null
      : Cell

type Keys<E extends string> = { [Name in E as ColumnOf<Name>]: Value<ColumnOf<Name>> }

type Connection = Keys<'srcip' | 'dstip' | 'srcport' | 'dstport' | 'proto'>

type StatKeys<S> = S extends { element: infer E extends string; perProtocol?: infer P }
  ? (E extends 'record' ? Connection : Keys<E>) & (P extends true ? Keys<'proto'> : unknown)
  : S extends { element: infer E extends string }
    ? E extends 'record'
      ? Connection
      : Keys<E>
    : unknown

type KeysOf<R> = (R extends { by: readonly (infer E extends string)[] } ? Keys<E> : unknown) &
  (R extends { stat: infer S } ? StatKeys<S> : unknown) &
  (R extends { bidirectional: true } ? PairKeys<R> : unknown)

/** Both ways without groups: a row is a connection. In groups it counts the pairs of ends. */
type PairKeys<R> = R extends { by: unknown } ? { pairs: Count } : R extends { stat: infer S } ? PairsOf<S> : Connection
type PairsOf<S> = S extends { element: 'record' } ? unknown : { pairs: Count }

type Measures<R> = R extends { bin_ms: number }
  ? { bin: string | null } & Counts
  : R extends { compare: string }
    ? Compared
    : Counts &
        Spans &
        (R extends { bidirectional: true } ? WayBack : unknown) &
        (R extends { distinct: readonly (infer E extends string)[] }
          ? { [Name in E as `distinct_${ColumnOf<Name>}`]: Count }
          : unknown) &
        (R extends { percentiles: readonly (infer P extends string)[] }
          ? { [Name in P as PercentileColumn<Name>]: Count | null }
          : unknown)

type PercentileColumn<P extends string> = P extends `${infer Of}/${infer Share}` ? `${Of}_p${Share}` : P

type Grouping = 'by' | 'stat' | 'bidirectional' | 'bin_ms' | 'distinct' | 'percentiles' | 'having' | 'compare'

type Flat<T> = { [K in keyof T]: T[K] }

type GroupRow<R> = Flat<KeysOf<R> & Measures<R> & (R extends { other: true } ? { part: 'top' | 'other' } : unknown)>

/**
 * The row of a request. `{ by: ['srcip4/24', 'dstport'] }` has `srcaddr_net4`, `dstport`, `records`, `bytes`, …; without groups it is a
 * `ListedRow`. Of a request whose parts are typed no closer than `FlowsRequest`, any column: `FlowsRow`.
 */
export type RowOf<R extends FlowsRequest> = [Extract<keyof R, Grouping>] extends [never]
  ? ListedRow
  : IsOptional<R> extends true
    ? FlowsRow
    : GroupRow<R>

/** Whether a part that makes groups may be there or not. */
type IsOptional<R> = true extends { [K in Grouping & keyof R]: object extends Pick<R, K> ? true : false }[Grouping &
  keyof R]
  ? true
  : false
