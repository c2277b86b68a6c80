/** What Athena's catalogue says of a table. It says it without running a statement; values of partitions it lists in one that reads no data. */
import type { athenaClient } from '../aws/clients.ts'
import { type Asked, ask as askAws } from '../aws/errors.ts'
import { tableObjects } from './athena-objects.ts'
import type { AthenaPlace } from './athena-place.ts'
import { type Ask, nameOf, partitionValues, withValues } from './catalogue.ts'
import type { EngineColumn, EngineTable } from './engine.ts'

type Client = Awaited<ReturnType<typeof athenaClient>>
type Parameters = Readonly<Record<string, string>>

/** Hive's names of types, where questions have others. */
const typeNames: Readonly<Record<string, string>> = { string: 'varchar', int: 'integer' }

/** @throws AwsError where there is no such table, or it may not be seen. */
export async function tableOf(
  { sdk, client }: Client,
  at: AthenaPlace,
  ask: Ask,
  signal?: AbortSignal,
): Promise<EngineTable> {
  const { catalog, database, table } = at
  const command = new sdk.GetTableMetadataCommand({ CatalogName: catalog, DatabaseName: database, TableName: table })
  const name = `${database}/${table}`
  const asked: Asked = { doing: `look at the table ${name}`, of: 'table', name, right: 'athena:GetTableMetadata' }
  const options = signal === undefined ? {} : { abortSignal: signal }
  const { TableMetadata: found } = await askAws(asked, () => client.send(command, options), signal)
  const parameters: Parameters = found?.Parameters ?? {}
  const keys = (found?.PartitionKeys ?? []).map(columnOf)
  const isProjected = parameters['projection.enabled']?.toLowerCase() === 'true'
  const seen = keys.length === 0 || isProjected ? [] : await partitionValues([database, table], keys, ask)
  const partitions = isProjected
    ? keys.map(key => ({ ...key, values: projected(parameters, key.name) }))
    : withValues(keys, seen)
  // A view has rows of several tables.
  const isView = found?.TableType === 'VIRTUAL_VIEW'
  return {
    sql: nameOf([database, table]),
    columns: (found?.Columns ?? []).map(columnOf),
    ...{ partitions, listsPartitions: !isProjected, hasPath: !isView },
    objects: isView ? null : tableObjects(parameters, partitions, isProjected),
  }
}

function columnOf({ Name = '', Type = '' }: { Name?: string | undefined; Type?: string | undefined }): EngineColumn {
  const type = Type.toLowerCase()
  return { name: Name.toLowerCase(), type: typeNames[type] ?? type }
}

/** Values of a column that are worked out of the table's properties: as many as tell how it writes days and hours. */
function projected(parameters: Parameters, name: string): string[] {
  const property = (key: string): string => parameters[`projection.${name}.${key}`] ?? ''
  switch (property('type').toLowerCase()) {
    case 'enum':
      return property('values').split(',')
    case 'integer': {
      const [first = ''] = property('range').split(',')
      const digits = Number(property('digits'))
      return /^\d+$/.test(first) ? [first.padStart(Number.isInteger(digits) ? digits : 0, '0')] : []
    }
    case 'date': {
      const day = inFormat(property('format'))
      return day === null ? [] : [day]
    }
    default:
      return []
  }
}

/** A time as a format of Java writes it; null for a format with other parts than year, month, day and hour. */
function inFormat(format: string): string | null {
  const text = format
    .replace(/yyyy|uuuu/, '2023')
    .replace('MM', '09')
    .replace('dd', '28')
    .replace('HH', '17')
    .replaceAll("'T'", 'T')
  return /^[\dT/ -]+$/.test(text) ? text : null
}
