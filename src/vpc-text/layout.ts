import { UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { columnName, fieldNamed, flowFields } from '../records/fields.ts'
import { columnOfField } from '../records/unknown-columns.ts'

/** The order of the fields in a flow log's lines, as AWS spells them. */
export interface Layout {
  fields: string[]
  columns: string[]
  kind: 'vpc-flow-log' | 'tgw-flow-log'
  /** Whether every field is text, so that a repeated header would pass for a record. */
  textOnly: boolean
}

/** More fields than AWS has ever had. */
const fieldsMax = 256
const fieldsMin = 4

/** AWS's default fields of Transit Gateway flow logs, in order. */
const transitGateway =
  'version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region flow-direction pkt-src-aws-service pkt-dst-aws-service'

/** Field lists that `--format` knows by name: `default` is AWS's own, `v3` to `v11` all VPC fields up to that version. */
export const namedFormats: ReadonlyMap<string, string> = new Map([
  ['default', allFieldsUpTo(2)],
  ...[2, 3, 4, 5, 7, 8, 9, 10, 11].map(version => [`v${version}`, allFieldsUpTo(version)] as [string, string]),
  ['tgw', transitGateway],
])

function allFieldsUpTo(version: number): string {
  return flowFields
    .filter(field => field.version <= version && field.version !== 6)
    .map(field => field.name.replaceAll('_', '-'))
    .join(' ')
}

/**
 * The layout that `--format` asks for: a name of `namedFormats`, or field names separated by spaces or commas, also in AWS's own
 * spelling of a custom format, `${version} ${account-id} …`.
 *
 * @param unknown whether a name that no field has is taken: AWS adds fields, and a mistyped name would be one of them.
 * @throws UserError when a name is written wrongly, stands twice, or is not a field.
 */
export function layoutOfFormat(format: string, { option = '--format', unknown = false } = {}): Layout {
  const fields = (namedFormats.get(format.trim().toLowerCase()) ?? format)
    .trim()
    .split(/[\s,]+/)
    .map(field => field.replace(/^\$\{(.*)\}$/, '$1').replaceAll('_', '-'))
  const wrong = fields.find(field => !/^[a-z][a-z0-9-]*$/.test(field))
  const twice = fields.find((field, i) => fields.indexOf(field) !== i)
  const hint = `name one of ${[...namedFormats.keys()].join(', ')}, or list the fields: ${option} "version account-id interface-id …"`
  if (wrong !== undefined) throw new UserError(`invalid field name in ${option}: ${wrong}`, { status: 2, hint })
  if (twice !== undefined) throw new UserError(`duplicate field in ${option}: ${twice}`, { status: 2, hint })
  const strange = fields.find(field => fieldNamed(columnName(field)) === undefined)
  if (fields.length === 1 && strange !== undefined) {
    const meant = didYouMean(format, namedFormats.keys())
    throw new UserError(`unknown format: ${format}`, { status: 2, hint: `${meant}${hint}` })
  }
  if (fields.length > fieldsMax)
    throw new UserError(`too many fields in ${option}: ${fields.length}`, { status: 2, hint })
  if (strange === undefined || unknown) {
    if (fields.length >= fieldsMin) return layoutOf(fields)
    throw new UserError(`too few fields in ${option}: ${fields.length}, and a record has at least ${fieldsMin}`, {
      status: 2,
      hint,
    })
  }
  const help =
    option === '--format'
      ? 'a field that is newer than this version needs --format-unknown, and is kept as text'
      : 'the fields of flow logs are named in docs/reference/fields.md'
  throw new UserError(`not a field of flow logs: ${strange}`, {
    status: 2,
    hint: `${didYouMean(strange, fieldNames)}${help}`,
  })
}

function didYouMean(word: string, words: Iterable<string>): string {
  const near = nearest(word, words)
  return near === null ? '' : `did you mean ${near}? `
}

const fieldNames = flowFields.map(field => field.name.replaceAll('_', '-'))

/** The layout of columns with these (underscored) names, as in AWS's Parquet files. */
export function layoutOf(fields: readonly string[]): Layout {
  const columns = fields.map(columnOfField)
  const transit = columns.some(column => column.startsWith('tgw_'))
  const textOnly = columns.every(column => (fieldNamed(column)?.type ?? 'text') === 'text')
  return { fields: [...fields], columns, kind: transit ? 'tgw-flow-log' : 'vpc-flow-log', textOnly }
}
