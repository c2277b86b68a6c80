/** Tables of flow logs as engines have them, without an engine. */
import type { AskOptions, Engine, EngineTable, Estimate, TextRow } from '../../src/engines/engine.ts'
import type { Dialect } from '../../src/query/dialect.ts'
import type { Sql } from '../../src/query/sql.ts'
import { trino, withValues } from '../../src/query/trino-printer.ts'
import { fieldNamed } from '../../src/records/fields.ts'

const plain =
  'version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status'
export const wideNames =
  `${plain} tcp_flags pkt_srcaddr pkt_dstaddr region flow_direction traffic_path subnet_id custom_field`.split(' ')
export const plainNames = plain.split(' ')

const types: Record<string, string> = { u8: 'integer', u16: 'integer', u64: 'bigint', time: 'bigint' }

/** @param allText as a table of text files that has no types. */
export function tableOfNames(
  names: readonly string[],
  { allText = false, partitions = [] as EngineTable['partitions'] } = {},
): EngineTable {
  const columns = names.map(name => ({
    name,
    type: (allText ? undefined : types[fieldNamed(name)?.type ?? '']) ?? 'varchar',
  }))
  return { sql: '"hive"."logs"."flows"', columns, partitions, listsPartitions: true, hasPath: true }
}

/** An engine that keeps what it is asked, and has no rows. */
export class Listening implements Engine {
  readonly name = 'trino'
  readonly place = 'http://127.0.0.1:8080/hive/logs/flows'
  readonly lettersMost = 900_000
  readonly ran = []
  readonly asked: Sql[] = []
  readonly dialect: Dialect
  private readonly of: EngineTable

  constructor(of: EngineTable, dialect: Dialect = trino) {
    this.of = of
    this.dialect = dialect
  }

  sent(statement: Sql): string {
    return withValues(statement)
  }

  // biome-ignore lint/correctness/useYield: no statement has rows here
  async *ask(statement: Sql, _options?: AskOptions): AsyncGenerator<TextRow[]> {
    this.asked.push(statement)
  }

  async table(): Promise<EngineTable> {
    return this.of
  }

  async estimate(statement: Sql): Promise<Estimate> {
    this.asked.push(statement)
    return { partitions: null, partitions_of_table: null, bytes: null }
  }
}
