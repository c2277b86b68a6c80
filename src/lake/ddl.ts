/** Statements that make tables of what lies in a lake. */
import { UserError } from '../errors.ts'
import type { FoundLayout, LayoutsFound, Tree } from './layouts.ts'
import {
  columnsText,
  type LakeColumn,
  type LakeEngine,
  lakeColumn,
  literal,
  parseLocation,
  queryName,
  tableText,
} from './table.ts'

export interface DdlOptions {
  engine: LakeEngine
  /** Its name, with schema and catalog before it if need be. */
  table: readonly string[]
  /** Where the engine finds the folder, without a slash at its end. */
  location: string
}

/** More names of files than these make no condition that anyone would read. */
const namesMax = 200

interface OneTable extends FoundLayout {
  name: readonly string[]
}

/**
 * One table, or, of several orders of fields, one each and a view over all of them, as there is where other files lie among the flow logs. A
 * column of a partition never has the name of a column of data.
 *
 * @throws UserError where no table can be made.
 */
export function ddlOf({ layouts, left_out }: LayoutsFound, options: DdlOptions): string[] {
  if (layouts.length === 0) {
    throw new UserError('no flow log with a header was found', { hint: 'name the folder that holds AWSLogs' })
  }
  requireOneFormat(layouts)
  if (layouts.length === 1 && left_out.length === 0) return [tableOf({ ...layouts[0]!, name: options.table }, options)]
  const own = options.table.at(-1)!
  const tables = layouts.map((layout, i) => ({ ...layout, name: [...options.table.slice(0, -1), `${own}_${i + 1}`] }))
  return [...tables.map(table => tableOf(table, options)), viewOf(tables, options)]
}

/** @throws UserError where text and Parquet share a folder: engines read all files of a table in one format, whichever the question wants. */
function requireOneFormat(layouts: readonly FoundLayout[]): void {
  const places = new Map<string, boolean>()
  const isInOne = layouts.some(({ tree }) => tree === null)
  for (const { tree, types } of layouts) {
    const place = isInOne ? '' : tree!.base
    const isParquet = types !== null
    if ((places.get(place) ?? isParquet) !== isParquet) {
      throw new UserError(`text and Parquet lie in one folder${place === '' ? '' : `: ${place}`}`, {
        hint: 'an engine reads a folder in one format: name one that holds only text, or only Parquet',
      })
    }
    places.set(place, isParquet)
  }
}

function tableOf(table: OneTable, { engine, location }: DdlOptions): string {
  const columns = dataColumns(table)
  // The names of folders go into places where quotes and $ mean something.
  const where = table.tree === null ? location : parseLocation(`${location}/${table.tree.base}`)
  return engine === 'trino' ? trinoTable(table, columns, where) : athenaTable(table, columns, where)
}

/** Of the engines' columns all are unlike one another in small letters, and unlike those of the folders. */
function dataColumns(table: FoundLayout): LakeColumn[] {
  const { types, columns } = table
  // The names of Parquet are in the files.
  if (types !== null) return columns.map((name, i) => ({ name, kind: types[i]! }))
  const folders = new Set(partitionsOf(table.tree).map(({ name }) => name))
  return columns.map(name => lakeColumn(folders.has(name) ? `field_${name}` : name))
}

interface Partition {
  name: string
  values: readonly string[] | { first: string; last: string } | { from: number; to: number; digits: number }
}

function partitionsOf(tree: Tree | null): Partition[] {
  if (tree === null) return []
  const places = [
    { name: 'p_account', values: [...tree.accounts].sort() },
    { name: 'p_region', values: [...tree.regions].sort() },
  ]
  // As text: a column of type date with a format of its own is refused by Trino.
  if (tree.kind === 'plain') return [...places, { name: 'p_day', values: { first: tree.first, last: tree.last } }]
  const year = (day: string) => Number(day.slice(0, 4))
  return [
    ...places,
    // One more than was found: a table that knows no new year is soon a trap.
    { name: 'p_year', values: { from: year(tree.first), to: year(tree.last) + 1, digits: 4 } },
    { name: 'p_month', values: { from: 1, to: 12, digits: 2 } },
    { name: 'p_day', values: { from: 1, to: 31, digits: 2 } },
  ]
}

function folderTemplate(where: string, { kind }: Tree): string {
  const parts =
    kind === 'plain'
      ? ['{p_account}', 'vpcflowlogs', '{p_region}', '{p_day}']
      : [
          ...['aws-account-id={p_account}', 'aws-service=vpcflowlogs', 'aws-region={p_region}'],
          ...['year={p_year}', 'month={p_month}', 'day={p_day}'],
        ]
  return `${where}/${parts.join('/').replaceAll('{', '${')}`
}

function trinoTable(table: OneTable, columns: readonly LakeColumn[], where: string): string {
  const partitions = partitionsOf(table.tree)
  const names = partitions.map(({ name }) => name)
  const format =
    table.types === null
      ? [`format = 'TEXTFILE'`, `textfile_field_separator = ' '`, 'skip_header_line_count = 1', `null_format = '-'`]
      : [`format = 'PARQUET'`]
  const properties = [...format, `external_location = ${literal(where)}`]
  if (table.tree !== null) {
    properties.push(
      `partitioned_by = ARRAY[${names.map(literal).join(', ')}]`,
      'partition_projection_enabled = true',
      `partition_projection_location_template = ${literal(folderTemplate(where, table.tree))}`,
    )
  }
  const all = [...columns, ...names.map((name): LakeColumn => ({ name, kind: 'text' }))]
  const more = ({ name }: LakeColumn): string => {
    const partition = partitions.find(one => one.name === name)
    return partition === undefined ? '' : ` WITH (${trinoProjection(partition).join(', ')})`
  }
  return `CREATE TABLE ${tableText('trino', table.name)} (\n${columnsText('trino', all, more)}\n)\nWITH (\n  ${properties.join(',\n  ')}\n)`
}

function trinoProjection({ values }: Partition): string[] {
  if (!('first' in values) && !('from' in values)) {
    return [
      `partition_projection_type = 'ENUM'`,
      `partition_projection_values = ARRAY[${values.map(literal).join(', ')}]`,
    ]
  }
  if ('first' in values) {
    return [
      `partition_projection_type = 'DATE'`,
      `partition_projection_format = 'yyyy/MM/dd'`,
      `partition_projection_range = ARRAY[${literal(values.first)}, 'NOW']`,
      'partition_projection_interval = 1',
      `partition_projection_interval_unit = 'DAYS'`,
    ]
  }
  return [
    `partition_projection_type = 'INTEGER'`,
    `partition_projection_range = ARRAY['${values.from}', '${values.to}']`,
    `partition_projection_digits = ${values.digits}`,
  ]
}

function athenaTable(table: OneTable, columns: readonly LakeColumn[], where: string): string {
  const partitions = partitionsOf(table.tree)
  const isText = table.types === null
  const properties: [string, string][] = isText ? [['skip.header.line.count', '1']] : []
  if (table.tree !== null) {
    properties.push(['projection.enabled', 'true'])
    for (const { name, values } of partitions) properties.push(...athenaProjection(`projection.${name}`, values))
    properties.push(['storage.location.template', folderTemplate(where, table.tree)])
  }
  const folders = partitions.map(({ name }): LakeColumn => ({ name, kind: 'text' }))
  return [
    `CREATE EXTERNAL TABLE ${tableText('athena', table.name)} (\n${columnsText('athena', columns)}\n)`,
    ...(folders.length === 0 ? [] : [`PARTITIONED BY (\n${columnsText('athena', folders)}\n)`]),
    ...(isText
      ? [`ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' NULL DEFINED AS '-'`, 'STORED AS TEXTFILE']
      : ['STORED AS PARQUET']),
    `LOCATION ${literal(`${where}/`)}`,
    ...(properties.length === 0
      ? []
      : [
          `TBLPROPERTIES (\n${properties.map(([key, value]) => `  ${literal(key)} = ${literal(value)}`).join(',\n')}\n)`,
        ]),
  ].join('\n')
}

function athenaProjection(key: string, values: Partition['values']): [string, string][] {
  if (!('first' in values) && !('from' in values)) {
    return [
      [`${key}.type`, 'enum'],
      [`${key}.values`, values.join(',')],
    ]
  }
  if ('first' in values) {
    return [
      [`${key}.type`, 'date'],
      [`${key}.format`, 'yyyy/MM/dd'],
      [`${key}.range`, `${values.first},NOW`],
      [`${key}.interval`, '1'],
      [`${key}.interval.unit`, 'DAYS'],
    ]
  }
  return [
    [`${key}.type`, 'integer'],
    [`${key}.range`, `${values.from},${values.to}`],
    [`${key}.digits`, String(values.digits)],
  ]
}

/** All tables as one: of each table the rows of its own files, columns that it lacks are null. */
function viewOf(tables: readonly OneTable[], { engine, table }: DdlOptions): string {
  const columnsOf = (one: OneTable): LakeColumn[] => [
    ...dataColumns(one),
    ...partitionsOf(one.tree).map(({ name }): LakeColumn => ({ name, kind: 'text' })),
  ]
  const all = new Map(tables.flatMap(columnsOf).map(column => [column.name, column]))
  const selects = tables.map(one => {
    const own = new Set(columnsOf(one).map(({ name }) => name))
    const items = [...all.values()].map(({ name, kind }) =>
      own.has(name) ? queryName(name) : `CAST(NULL AS ${kind === 'text' ? 'varchar' : kind}) AS ${queryName(name)}`,
    )
    return `SELECT ${items.join(', ')}\nFROM ${tableText('trino', one.name)}\nWHERE ${filesTest(one)}`
  })
  const name = engine === 'athena' ? tableText('trino', table) : tableText(engine, table)
  return `CREATE VIEW ${name} AS\n${selects.join('\nUNION ALL\n')}`
}

/** Whether a row is of a file of the table's own order of fields: the tables share a folder. */
function filesTest({ flowLogs, others, fields }: OneTable): string {
  if (others.size > namesMax) {
    throw new UserError(
      `${others.size} files with the fields ${fields.slice(0, 4).join(' ')} … do not name a flow log, and others beside them have other fields`,
      { hint: 'put files of one order of fields into a folder of their own, and name that' },
    )
  }
  const name = `regexp_extract("$path", '[^/]+$')`
  const tests = [
    ...(flowLogs.size === 0
      ? []
      : [`regexp_like("$path", ${literal(`(^|_|/)(${[...flowLogs].sort().join('|')})[_.][^/]*$`)})`]),
    ...(others.size === 0 ? [] : [`${name} IN (${[...others].sort().map(literal).join(', ')})`]),
  ]
  return tests.join(' OR ')
}
