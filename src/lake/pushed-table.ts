/** The columns of a table that a case was pushed to: AWS's own schema, and where each row came from. */
import { fieldNamed, flowFields } from '../records/fields.ts'
import { sensorFields } from '../records/sensor.ts'
import { quotedName } from '../store/duckdb.ts'
import { columnsText, type LakeColumn, type LakeEngine, lakeColumn, literal, tableText } from './table.ts'

/** Columns of the folders: day=2023-09-28/hour=19, of the end of a record. */
export const partitionNames = ['day', 'hour'] as const

export interface PushedColumn extends LakeColumn {
  /** Its value in SQL of DuckDB, of a record (`r`, of `flows`) and its file (`f`). */
  flow: string
  /** The same of a line of a sensor without data (`r`, of `silence`). */
  silence: string
}

const microseconds = (column: string): string => `epoch_us(${column})`
/** Downwards, also before 1970: the fraction is in the column of microseconds. */
const seconds = (column: string): string =>
  `((epoch_us(${column}) - ((epoch_us(${column}) % 1000000) + 1000000) % 1000000) // 1000000)`

/** Where a row came from, and the times with their fractions. No field of AWS is called so, and none that is may take the name. */
const ownColumns: readonly PushedColumn[] = [
  ...(['start', 'end'] as const).map((name): PushedColumn => {
    const value = microseconds(`r.${quotedName(name)}`)
    return { name: `${name}_us`, kind: 'bigint', flow: value, silence: value }
  }),
  { name: 'source_sha256', kind: 'text', flow: 'f.sha256', silence: 'f.sha256' },
  { name: 'source_path', kind: 'text', flow: 'f.path', silence: 'f.path' },
  { name: 'source_line', kind: 'bigint', flow: 'r._line::BIGINT', silence: 'r._line::BIGINT' },
]
const taken = new Set<string>([...partitionNames, ...ownColumns.map(({ name }) => name)])

/** AWS's default fields are in every table, so that questions do not depend on the case; the others where the case has them. */
const always = new Set<string>(flowFields.filter(field => field.version === 2).map(field => field.name))

/** @param columns those that the records of the case have */
export function pushedColumns(columns: ReadonlySet<string>): PushedColumn[] {
  const known = flowFields.map(field => field.name as string).filter(name => always.has(name) || columns.has(name))
  const unknown = [...columns].filter(name => fieldNamed(name) === undefined && !name.startsWith('_')).sort()
  return [...known, ...unknown].map(name => columnOf(name, columns)).concat(ownColumns)
}

function columnOf(name: string, columns: ReadonlySet<string>): PushedColumn {
  const { kind } = lakeColumn(name)
  const typed = { integer: 'INTEGER', bigint: 'BIGINT', text: 'VARCHAR' }[kind]
  const none = `NULL::${typed}`
  return {
    ...{ name: taken.has(name) ? `field_${name}` : name, kind },
    flow: columns.has(name) ? flowValue(name) : none,
    silence: silenceValue(name) ?? none,
  }
}

function flowValue(name: string): string {
  const column = `r.${quotedName(name)}`
  switch (fieldNamed(name)?.type) {
    case 'u8':
    case 'u16':
      return `${column}::INTEGER`
    case 'u64':
      return `${column}::BIGINT`
    case 'time':
      return seconds(column)
    case 'address':
      return `address_text(${column})`
    default:
      return name === 'log_status' ? `'OK'` : column
  }
}

/** Of such a line the case keeps its sensor, its times and what it says. */
function silenceValue(name: string): string | null {
  if (name === 'log_status') return 'r.status'
  if (name === 'start' || name === 'end') return seconds(`r.${quotedName(name)}`)
  const at = (sensorFields as readonly string[]).indexOf(name)
  if (at < 0) return null
  const isOfAttachment = `starts_with(r.sensor, 'tgw-attach-')`
  const isOfGateway = `starts_with(r.sensor, 'nat-')`
  const test = [`NOT ${isOfAttachment} AND NOT ${isOfGateway}`, isOfGateway, isOfAttachment][at]!
  return `CASE WHEN ${test} THEN r.sensor END`
}

/** Counters that the engines cannot hold: they have no unsigned integers. */
export const counterMax = 2n ** 63n - 1n

/** The statements that make a table of what was pushed, and make its partitions known. */
export function pushedDdl(
  engine: LakeEngine,
  table: readonly string[],
  location: string,
  columns: readonly LakeColumn[],
): string[] {
  const folders = partitionNames.map((name): LakeColumn => ({ name, kind: 'text' }))
  if (engine === 'athena') {
    return [
      [
        `CREATE EXTERNAL TABLE ${tableText(engine, table)} (\n${columnsText(engine, columns)}\n)`,
        `PARTITIONED BY (\n${columnsText(engine, folders)}\n)`,
        'STORED AS PARQUET',
        `LOCATION ${literal(`${location}/`)}`,
      ].join('\n'),
      `MSCK REPAIR TABLE ${tableText(engine, table)}`,
    ]
  }
  const [name, schema = 'default', catalog] = table.toReversed()
  const call = [...(catalog === undefined ? [] : [catalog]), 'system', 'sync_partition_metadata']
  return [
    `CREATE TABLE ${tableText(engine, table)} (\n${columnsText(engine, [...columns, ...folders])}\n)\nWITH (\n  format = 'PARQUET',\n  external_location = ${literal(location)},\n  partitioned_by = ARRAY[${partitionNames.map(literal).join(', ')}]\n)`,
    `CALL ${tableText(engine, call)}(${literal(schema)}, ${literal(name!)}, 'FULL')`,
  ]
}
