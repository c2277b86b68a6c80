/** Tables of flow logs in a lake: names, columns, and how both engines write them. */
import { UserError } from '../errors.ts'
import { fieldNamed } from '../records/fields.ts'

/** Who is to read the table: Athena's data definition is Hive's, its questions are Trino's. */
export type LakeEngine = 'trino' | 'athena'

export interface LakeColumn {
  name: string
  kind: 'integer' | 'bigint' | 'text'
}

const typeNames: Record<LakeEngine, Record<LakeColumn['kind'], string>> = {
  trino: { integer: 'integer', bigint: 'bigint', text: 'varchar' },
  athena: { integer: 'int', bigint: 'bigint', text: 'string' },
}

/** The column of a flow record's field as AWS's Parquet has it: addresses are text, times seconds. */
export function lakeColumn(name: string): LakeColumn {
  switch (fieldNamed(name)?.type) {
    case 'u8':
    case 'u16':
      return { name, kind: 'integer' }
    case 'u64':
    case 'time':
      return { name, kind: 'bigint' }
    default:
      return { name, kind: 'text' }
  }
}

/** The columns of a table, quoted for its data definition; `more` goes after the type of a column. */
export function columnsText(engine: LakeEngine, columns: readonly LakeColumn[], more = (_: LakeColumn) => ''): string {
  return columns
    .map(column => `  ${quotedColumn(engine, column.name)} ${typeNames[engine][column.kind]}${more(column)}`)
    .join(',\n')
}

/** Athena's data definition quotes names as Hive does. */
function quotedColumn(engine: LakeEngine, name: string): string {
  return engine === 'athena' ? `\`${name.replaceAll('`', '``')}\`` : queryName(name)
}

/** A name as questions of both engines quote it. */
export function queryName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The name of a table in the data definition of an engine, each part quoted. */
export function tableText(engine: LakeEngine, table: readonly string[]): string {
  return table.map(part => quotedColumn(engine, part)).join('.')
}

/**
 * A text as both engines read it between quotes.
 *
 * @throws UserError for control characters: no path of AWS has one, and what shows the statement might obey it.
 */
export function literal(text: string): string {
  if (/\p{Cc}/u.test(text)) {
    throw new UserError(`a control character in a name: ${JSON.stringify(text)}`, {
      hint: 'the statement would hold it: rename the file or folder',
    })
  }
  return `'${text.replaceAll("'", "''")}'`
}

/** The parts of a table's name, as the user writes it: table, schema.table or catalog.schema.table. @throws UserError (status 2) */
export function parseTable(name: string): string[] {
  const parts = name.split('.')
  if (parts.length <= 3 && parts.every(part => /^[a-z_][a-z0-9_]{0,100}$/.test(part))) return parts
  throw new UserError(`not a name of a table: ${name}`, {
    status: 2,
    hint: 'use small letters, digits and _, with the schema and the catalog before it if need be: hive.network.flow_logs',
  })
}

/** Where an engine finds a folder, without a slash at its end. @throws UserError (status 2) */
export function parseLocation(location: string): string {
  const bare = location.replace(/\/+$/, '')
  if (/^[a-z][a-z0-9+.-]*:\/\/\/?[^\s'"$\\]+$/.test(bare)) return bare
  throw new UserError(`not a location: ${location}`, {
    status: 2,
    hint: 'name it as the engine does: s3://bucket/prefix, or local:///folder of Trino; without quotes, blanks, $ and \\',
  })
}
