/** Where the objects of a table of Athena lie, and how much of them a question reads: told by its catalogue and by listings, without running anything. */
import { s3Client } from '../aws/clients.ts'
import { AwsError } from '../aws/errors.ts'
import type { AwsOptions } from '../aws/options.ts'
import { integerText } from '../net/counts.ts'
import { listObjects } from '../sources/list.ts'
import type { EngineTable, Estimate, EstimateOptions, TableObjects } from './engine.ts'

type Partitions = EngineTable['partitions']

/** Pages of a listing, of a thousand objects each: beyond them a table is not estimated. */
const pagesMost = 500

/** A part of a key between two slashes: how it looks, and the columns whose values it holds. */
interface Segment {
  form: RegExp
  columns: string[]
}

/**
 * @param parameters of the table, as the catalogue has them.
 * @param isProjected whether values of partitions are worked out; else each partition is named like Hive does, `day=2023-09-28`, or lies elsewhere.
 */
export function tableObjects(
  parameters: Readonly<Record<string, string>>,
  partitions: Partitions,
  isProjected: boolean,
): TableObjects | null {
  // Of such a table the metadata says which objects count.
  if (parameters['table_type']?.toUpperCase() === 'ICEBERG') return null
  const template = isProjected ? parameters['storage.location.template'] : undefined
  const hive = partitions.map(({ name }) => `${name}=\${${name}}/`).join('')
  const [, bucket, path = ''] = /^s3[an]?:\/\/([^/]+)(?:\/(.*))?$/.exec(template ?? parameters['location'] ?? '') ?? []
  if (bucket === undefined) return null
  const whole = `${path.replace(/\/*$/, path === '' ? '' : '/')}${template === undefined ? hive : ''}`
  const begin = whole.indexOf('${')
  const prefix = begin < 0 ? whole : whole.slice(0, whole.lastIndexOf('/', begin) + 1)
  const segments = segmentsOf(whole.slice(prefix.length), isProjected ? partitions : [])
  const format = `${parameters['inputformat'] ?? ''} ${parameters['serde.serialization.lib'] ?? ''}`
  return {
    ...{ bucket, prefix, isColumnar: /parquet|orc/i.test(format), depth: segments.length },
    valuesIn: key => valuesIn(key.slice(prefix.length), segments),
  }
}

/** @param shown partitions whose values may hold slashes, as `2023/09/28`. */
function segmentsOf(template: string, shown: Partitions): Segment[] {
  const segments: Segment[] = []
  let [source, columns] = ['', [] as string[]]
  const end = (): void => {
    segments.push({ form: new RegExp(`^${source}$`, 'i'), columns })
    source = ''
    columns = []
  }
  for (const [i, piece] of template.split(/\$\{([^}]+)\}/).entries()) {
    const isColumn = i % 2 === 1
    const sample = isColumn ? shown.find(({ name }) => name === piece.toLowerCase())?.values[0] : undefined
    const parts = isColumn && !sample?.includes('/') ? [null] : (sample ?? piece).split('/')
    for (const [j, part] of parts.entries()) {
      if (j > 0) end()
      if (!isColumn) source += escaped(part!)
      else {
        source += part === null ? '(.+)' : `(${escaped(part).replace(/\d/g, '\\d')})`
        columns.push(piece.toLowerCase())
      }
    }
  }
  if (source !== '') end()
  return segments
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

function valuesIn(path: string, segments: readonly Segment[]): Map<string, string> | null {
  const parts = path.split('/')
  const isFile = parts.pop() !== ''
  // Athena passes over what is named so.
  if (path.split('/').some(part => /^[_.]/.test(part)) || (isFile && parts.length < segments.length)) return null
  const values = new Map<string, string>()
  for (const [i, { form, columns }] of segments.slice(0, parts.length).entries()) {
    const found = form.exec(parts[i]!)
    if (found === null) return null
    for (const [j, column] of columns.entries()) {
      const before = values.get(column)
      const value = decoded(found[j + 1]!)
      values.set(column, before === undefined ? value : `${before}/${value}`)
    }
  }
  return values
}

/** Hive writes characters that a folder cannot have as `%3A`. */
function decoded(text: string): string {
  return text.replace(/%([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

type Size = Pick<Estimate, 'objects' | 'bytes' | 'at_most' | 'unknown'>

/**
 * The objects that a question reads, listed.
 *
 * @param partitions how many it reads, where the catalogue lists them: fewer folders mean that some lie elsewhere.
 * @throws whatever aborted the signal.
 */
export async function sizeOf(
  table: EngineTable,
  partitions: number | null,
  aws: AwsOptions,
  { mayHold, signal }: EstimateOptions,
): Promise<Size> {
  const where = table.objects ?? null
  if (where === null) return notKnown('the catalogue does not tell where its objects lie')
  const tooMany = new AbortController()
  const stop = signal === undefined ? tooMany.signal : AbortSignal.any([signal, tooMany.signal])
  const s3 = await s3Client(aws)
  try {
    const { objects } = await listObjects(
      s3,
      { kind: 's3', bucket: where.bucket, prefix: where.prefix },
      {
        narrowing: key => {
          const values = where.valuesIn(key)
          return values !== null && (mayHold === undefined || mayHold(name => values.get(name) ?? null))
        },
        ...{ requestPayer: aws.requestPayer === true, signal: stop },
        onFound: (_, pages) => {
          if (pages >= pagesMost) tooMany.abort(new Error('too many pages'))
        },
      },
    )
    const folders = new Set(objects.map(({ key }) => folderOf(key.slice(where.prefix.length), where.depth))).size
    if (partitions !== null && folders < partitions)
      return notKnown(
        `some of its partitions are not in folders of their names under s3://${where.bucket}/${where.prefix}`,
      )
    const bytes = objects.reduce((sum, { size }) => sum + size, 0)
    return { objects: objects.length, bytes, at_most: where.isColumnar, unknown: null }
  } catch (error) {
    signal?.throwIfAborted()
    if (tooMany.signal.aborted) return notKnown(`a listing has more than ${integerText(pagesMost)} pages`)
    if (!(error instanceof AwsError)) throw error
    return notKnown(error.message)
  } finally {
    s3.client.destroy()
  }
}

function folderOf(path: string, depth: number): string {
  return path.split('/', depth).join('/')
}

function notKnown(unknown: string): Size {
  return { objects: null, bytes: null, at_most: false, unknown }
}
