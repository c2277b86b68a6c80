/** The records of a table on an engine, as a relation with the columns and types that questions are made of. */
import type { EngineColumn, EngineTable } from '../engines/engine.ts'
import { exitStatus, UserError } from '../errors.ts'
import { formatAddress } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import {
  all,
  among,
  any,
  compare,
  constant,
  equal,
  named,
  parameter,
  select,
  trusted,
  unknown,
} from '../query/build.ts'
import type { Comparison, Expression, Item, Relation } from '../query/nodes.ts'
import type { DataType } from '../query/types.ts'
import { columnName, type FieldType, fieldNamed } from '../records/fields.ts'
import { quotedName } from '../store/duckdb.ts'

/** Names that older examples of AWS have for fields. */
const otherNames: Readonly<Record<string, string>> = {
  ...{ account: 'account_id', accountid: 'account_id', interfaceid: 'interface_id', logstatus: 'log_status' },
  ...{ sourceaddress: 'srcaddr', destinationaddress: 'dstaddr', sourceport: 'srcport', destinationport: 'dstport' },
  ...{ numpackets: 'packets', numbytes: 'bytes', starttime: 'start', endtime: 'end', vpcid: 'vpc_id' },
  ...{ subnetid: 'subnet_id', instanceid: 'instance_id', tcpflags: 'tcp_flags' },
}

/** What `lake push` adds beside AWS's own columns. */
const added: ReadonlySet<string> = new Set(['source_sha256', 'source_path', 'source_line', 'start_us', 'end_us'])

type Shape = 'text' | 'integer' | 'address' | 'other'

/** A field of the records, and the column of the table that has it. */
interface Mapped {
  field: string
  type: FieldType
  /** The column, quoted. */
  raw: string
  name: string
  shape: Shape
}

export interface EngineRecords {
  columns: ReadonlySet<string>
  /** Where a record is: `_path`, and where the table says it `_line`. */
  places: readonly string[]
  /** Whether the table tells records from other lines. */
  hasStatus: boolean
  /**
   * Records as a relation.
   *
   * @param wanted columns of it. @param where what every record that is wanted fulfils: conditions on columns of partitions, and on the
   * records, of which what can be told of the table's own columns is asked of these, so that parts of it are passed over.
   */
  relation(wanted: Iterable<string>, where: { partitions: Expression | null; records: Expression | null }): Relation
  /** Names of fields, with the column of the table that has each. */
  fields: ReadonlyMap<string, { name: string; isText: boolean }>
  /** As `relation`, of lines that are no records too, and with each field as its text in the table, under `textOf`. */
  texts(wanted: Iterable<string>, where: { partitions: Expression | null; records: Expression | null }): Relation
  /** Everything in the table, with `_ok`, whether it is a record, and `_status`, what it says of that. */
  everything(wanted: Iterable<string>, partitions: Expression | null): Relation
}

/** @throws UserError for a table without flow records, or with a column of a type that cannot be meant. */
export function engineRecords(table: EngineTable): EngineRecords {
  const has = new Map(table.columns.map(one => [one.name, one]))
  const mapped = table.columns.filter(({ name }) => !added.has(name)).flatMap(one => mappedOf(one) ?? [])
  const fields = new Map(mapped.map(one => [one.field, one]))
  if (!fields.has('srcaddr') && !fields.has('dstaddr') && !fields.has('bytes'))
    throw new UserError('no flow records: the table has none of the columns srcaddr, dstaddr, bytes', {
      status: exitStatus.usage,
      hint: `it has ${table.columns
        .map(({ name }) => name)
        .slice(0, 12)
        .join(', ')}`,
    })
  const status = fields.get('log_status')
  const places: ReadonlyMap<string, string> = placesOf(table, has)
  const isRecord = status === undefined ? null : equal(trusted(status.raw, [status.name], 'trino'), constant('OK'))
  const from = trusted(table.sql, [], 'trino')
  const itemOf = (name: string): Item => {
    const place = places.get(name)
    if (place !== undefined) return named(trusted(place, [], 'trino'), name)
    const found = fields.get(name)
    if (found === undefined) return named(unknown(typeOf(name)), name)
    return named(trusted(valueIn(found, has), [found.name], 'trino'), name)
  }
  const itemsOf = (wanted: Iterable<string>): Item[] => [...new Set(wanted)].map(itemOf)
  return {
    columns: new Set(fields.keys()),
    places: [...places.keys()],
    hasStatus: status !== undefined,
    relation: (wanted, { partitions, records }) => {
      const items = itemsOf(wanted)
      const told = records === null ? null : toldOf(records, fields, has)
      const where = [isRecord, partitions, told].filter(one => one !== null)
      return select(items.length === 0 ? [named(constant(1), '_one')] : items, {
        from,
        where: where.length === 0 ? null : all(where),
      })
    },
    fields: new Map(mapped.map(({ field, name, shape }) => [field, { name, isText: shape === 'text' }])),
    texts: (wanted, { partitions, records }) => {
      const texts = mapped.map(({ field, type, raw, name, shape }) => {
        const plain = shape === 'text' ? raw : `CAST(${raw} AS VARCHAR)`
        const exact = quotedName(`${field}_us`)
        // A second's fraction must not be lost unseen.
        const text =
          type === 'time' && has.has(`${field}_us`)
            ? `CASE WHEN ${exact} % 1000000 <> 0 THEN concat(CAST(${exact} AS VARCHAR), 'us') ELSE ${plain} END`
            : plain
        return named(trusted(text, [name], 'trino'), textOf(field))
      })
      const told = records === null ? null : toldOf(records, fields, has)
      const where = [partitions, told].filter(one => one !== null)
      return select([...itemsOf(wanted), ...texts], { from, where: where.length === 0 ? null : all(where) })
    },
    everything: (wanted, partitions) => {
      const said = status === undefined ? constant('OK') : trusted(valueIn(status, has), [status.name], 'trino')
      const items = [...itemsOf(wanted), named(said, '_status')]
      return select(items, { from, where: partitions })
    },
  }
}

/** The column of a field's text: no field is called so. */
export function textOf(field: string): string {
  return `_text_${field}`
}

function placesOf({ hasPath }: EngineTable, has: ReadonlyMap<string, EngineColumn>): Map<string, string> {
  const path = has.has('source_path') ? 'source_path' : hasPath ? '$path' : null
  const places = new Map<string, string>()
  if (path !== null) places.set('_path', quotedName(path))
  if (has.has('source_line')) places.set('_line', quotedName('source_line'))
  return places
}

/** Of a field that the table has not: nothing is known of it. */
function typeOf(name: string): DataType {
  return fieldNamed(name)?.type ?? 'text'
}

function mappedOf({ name, type }: EngineColumn): Mapped | null {
  const plain = columnName(name)
  const field = otherNames[plain] ?? plain
  const known = fieldNamed(field)
  const shape = shapeOf(type)
  // What Tidemark does not know is text, as it is in a case.
  if (known === undefined) return shape === 'text' ? { field, type: 'text', raw: quotedName(name), name, shape } : null
  const isFitting =
    shape === 'text' || (known.type === 'address' ? shape === 'address' : known.type === 'text' || shape === 'integer')
  if (!isFitting)
    throw new UserError(`column ${name} of the table is of type ${type}`, {
      status: exitStatus.usage,
      hint: 'flow logs of AWS have text and whole numbers there, times as seconds since 1970',
    })
  return { field, type: known.type, raw: quotedName(name), name, shape }
}

function shapeOf(type: string): Shape {
  if (/^(varchar|char)\b/.test(type)) return 'text'
  if (/^(tinyint|smallint|integer|int|bigint|decimal\(\d+, ?0\))$/.test(type)) return 'integer'
  return type === 'ipaddress' ? 'address' : 'other'
}

/** A field's value in the types of questions. In tables that say nothing of nulls, what is absent is `-`. */
function valueIn({ field, type, raw, shape }: Mapped, has: ReadonlyMap<string, EngineColumn>): string {
  switch (type) {
    case 'address':
      return shape === 'address' ? raw : `TRY_CAST(${raw} AS IPADDRESS)`
    case 'text':
      return shape === 'text' ? `nullif(${raw}, '-')` : `CAST(${raw} AS VARCHAR)`
    case 'time': {
      const seconds = `${whole(raw, shape)} * 1000000`
      return has.has(`${field}_us`) ? `coalesce(CAST(${quotedName(`${field}_us`)} AS BIGINT), ${seconds})` : seconds
    }
    default:
      return whole(raw, shape)
  }
}

function whole(raw: string, shape: Shape): string {
  return shape === 'text' ? `TRY_CAST(${raw} AS BIGINT)` : `CAST(${raw} AS BIGINT)`
}

/**
 * What a condition implies of the table's own columns, which the engine knows the smallest and largest values of; null: nothing.
 *
 * An address of IPv4 is written in one way in flow logs, and compared as text. The condition itself is asked all the same.
 */
function toldOf(
  node: Expression,
  fields: ReadonlyMap<string, Mapped>,
  has: ReadonlyMap<string, EngineColumn>,
): Expression | null {
  const told = (one: Expression): Expression | null => toldOf(one, fields, has)
  switch (node.kind) {
    case 'logic': {
      const parts = node.terms.map(told)
      const known = parts.filter(one => one !== null)
      if (known.length === 0 || (node.how === 'or' && known.length < parts.length)) return null
      return node.how === 'and' ? all(known) : any(known)
    }
    case 'in-prefixes': {
      const of = node.address.kind === 'column' ? fields.get(node.address.name) : undefined
      return of === undefined || of.shape !== 'text' ? null : addressAsText(rawOf(of), node.prefixes)
    }
    case 'comparison':
      return comparisonOf(node, fields, has)
    // Unknown is not enough.
    case 'call':
      return node.name === 'first-known' && node.args.length === 2 && isNever(node.args[1]!)
        ? told(node.args[0]!)
        : null
    case 'among': {
      const of = node.term.kind === 'column' ? fields.get(node.term.name) : undefined
      const isText = of?.type === 'text' && of.shape === 'text' && node.values.every(isSaid)
      return isText ? among(rawOf(of), node.values) : null
    }
    default:
      return null
  }
}

function isNever(node: Expression): boolean {
  return node.kind === 'constant' && node.value === false
}

function rawOf({ raw, name }: Mapped): Expression {
  return trusted(raw, [name], 'trino')
}

/** A text that is not how the absence of one is written. */
function isSaid(value: Expression): boolean {
  return (
    (value.kind === 'parameter' || value.kind === 'constant') && typeof value.value === 'string' && value.value !== '-'
  )
}

function comparisonOf(
  { comparator, left, right }: Comparison,
  fields: ReadonlyMap<string, Mapped>,
  has: ReadonlyMap<string, EngineColumn>,
): Expression | null {
  const of = left.kind === 'column' ? fields.get(left.name) : undefined
  if (of === undefined) return null
  if (of.type === 'text')
    return of.shape === 'text' && comparator === '=' && isSaid(right) ? equal(rawOf(of), right) : null
  const at = right.kind === 'call' && right.name === 'time-at' ? right.args[0]! : null
  if (of.type !== 'time' || of.shape !== 'integer' || at?.kind !== 'parameter' || typeof at.value !== 'bigint')
    return null
  if (comparator === 'same' || comparator === 'different' || comparator === '<>') return null
  // Whole seconds: a fraction leaves the second that it is in.
  const second = at.value / 1_000_000n
  const wide = comparator === '<' ? '<=' : comparator === '>' ? '>=' : comparator
  const isExact = !has.has(`${of.field}_us`) && at.value % 1_000_000n === 0n
  return compare(isExact ? comparator : wide, rawOf(of), parameter(second, 'i64'))
}

const fourBegin = 0xffff_0000_0000n

/** Of more addresses than that not every spelling is named: whatever begins like the longer ones is looked at. */
const spelledMost = 100

/** IPv4 addresses and networks as texts: one by one, or from the dot after their last whole part to what comes after a dot. */
function addressAsText(raw: Expression, prefixes: readonly Prefix[]): Expression | null {
  const single: Prefix[] = []
  const tests: Expression[] = []
  for (const prefix of prefixes) {
    const { first, last } = prefix
    if (first.hi !== 0n || last.hi !== 0n || first.lo < fourBegin || last.lo >= fourBegin + (1n << 32n)) return null
    if (first.lo === last.lo) {
      single.push(prefix)
      continue
    }
    const [from, to] = [first, last].map(({ hi, lo }) => formatAddress(hi, lo).split('.')) as [string[], string[]]
    const same = from.findIndex((part, i) => part !== to[i])
    if (same === 0) return null
    const begin = from.slice(0, same).join('.')
    tests.push(all([compare('>=', raw, constant(`${begin}.`)), compare('<', raw, constant(`${begin}/`))]))
  }
  const isSpelled = tests.length === 0 && single.length <= spelledMost
  const texts = single.flatMap(({ first: { hi, lo } }) => {
    const plain = formatAddress(hi, lo)
    return isSpelled ? [plain, ...asIpv6(plain, lo)] : [plain]
  })
  // As IPv6 they are written behind `::`, which no text of IPv4 begins with.
  const behind = all([compare('>=', raw, constant('::')), compare('<', raw, constant(':;'))])
  return any([
    ...(texts.length === 0
      ? []
      : [
          among(
            raw,
            texts.map(text => constant(text)),
          ),
        ]),
    ...tests,
    ...(isSpelled ? [] : [behind]),
  ])
}

/** The texts that RFC 4291 has for an address of IPv4 as one of IPv6, without zeros that can be left out. */
function asIpv6(plain: string, lo: bigint): string[] {
  const [high, low] = [(lo >> 16n) & 0xffffn, lo & 0xffffn].map(half => half.toString(16))
  const small = [`::ffff:${plain}`, `::ffff:${high}:${low}`]
  return [...small, ...small.map(text => text.toUpperCase())]
}
