/**
 * What is asked of an engine to bring a part of its records into a case: the lines themselves, sums over everything of that time, and what
 * else the endpoints did whose role the lines leave open. Each reads the table once.
 */
import type { EngineTable } from '../engines/engine.ts'
import { exitStatus, UserError } from '../errors.ts'
import { asTexts } from '../flows/engine-cells.ts'
import { partitionsOf } from '../flows/engine-partitions.ts'
import { type EngineRecords, textOf } from '../flows/engine-records.ts'
import type { Prefix } from '../net/prefix.ts'
import {
  aggregate,
  all,
  among,
  any,
  choose,
  column,
  compare,
  constant,
  count,
  equal,
  firstKnown,
  inPrefixes,
  microseconds,
  minus,
  named,
  no,
  not,
  order,
  own as ownColumn,
  parameter,
  remainder,
  select,
  trusted,
  unknown,
} from '../query/build.ts'
import type { Expression, Item, Select } from '../query/nodes.ts'
import { sensorFields } from '../records/sensor.ts'
import { quotedName } from '../store/duckdb.ts'
import { QuestionTooLong } from './too-long.ts'

/** Records that are wanted, and the time of which everything is summed; microseconds since the epoch, null: no bound. */
export interface Wanted {
  where: Expression
  from_us: bigint | null
  to_us: bigint | null
}

export interface Statements {
  /** The lines of the records, and all lines that are none, by the object they are in. */
  lines: Select
  /** Names of the columns of `lines` and `elsewhere`, after the object's. */
  fields: readonly string[]
  /** Sums by object, sensor and minute. */
  sums: Select
  /** Records of endpoints with others, and those that name another address of one of their hosts. */
  elsewhere(endpoints: readonly string[]): Select
  /** The same, where objects are read from where they lie: which hold such records, and the lines that are none. */
  places: { lines: Select; elsewhere(endpoints: readonly string[]): Select }
  /** A condition on the columns of partitions; null: every partition is read. */
  partitions: Expression | null
  /** To estimate what one of them reads. */
  scan: Select
}

const minute_us = 60_000_000
/** What sums need beside times: whatever may name a sensor. */
const otherSensors = ['instance_id', 'subnet_id', 'flow_direction'] as const
const statuses = ['NODATA', 'SKIPDATA']

/** Whose records they are: a condition for what an engine has. */
export function ofSubject(own: EngineRecords, subject: readonly Prefix[]): Expression {
  const sides = ['srcaddr', 'dstaddr', 'pkt_srcaddr', 'pkt_dstaddr'].filter(name => own.columns.has(name))
  return any(sides.map(name => inPrefixes(column(name), subject)))
}

/** @throws UserError for a table that does not tell which object a record is in. */
export function statementsOf(table: EngineTable, own: EngineRecords, wanted: Wanted): Statements {
  if (!own.places.includes('_path'))
    throw new UserError('the table does not tell which object a record lies in', {
      status: exitStatus.usage,
      hint: 'a table of the connector hive has "$path"; a view has it not: name the table itself',
    })
  const fields = [...own.fields.keys()]
  const within = windowOf(own, wanted)
  const partitions = partitionsOf(table, [{ from_us: wanted.from_us, to_us: wanted.to_us }])
  const isOk = own.hasStatus ? equal(column('log_status'), constant('OK')) : null
  const isSilent = own.hasStatus
    ? among(
        column('log_status'),
        statuses.map(word => constant(word)),
      )
    : no
  const sure = (one: Expression): Expression => firstKnown(one, no)
  const ok = (one: Expression): Expression => (isOk === null ? sure(one) : all([isOk, sure(one)]))
  const lines = (where: Expression, more: readonly Item[] = []): Select => {
    const whole = within === null ? where : all([where, within])
    const from = own.texts(['_path', ...whole.columns], { partitions, records: whole })
    const texts = fields.map(name => named(column(textOf(name)), name))
    return asTexts(
      select([ownColumn('_path'), ...texts, ...more], { from, where: whole, orderBy: [order(column('_path'))] }),
    )
  }
  const wantedLines = any([ok(wanted.where), isSilent])
  const elsewhereIn = (endpoints: readonly string[], of: (where: Expression) => Select): Select => {
    const { where, named: lists } = elsewhereOf(own, endpoints)
    return { ...of(ok(all([sure(where), not(sure(wanted.where))]))), named: lists }
  }
  return {
    ...{ fields, partitions },
    lines: lines(wantedLines),
    places: {
      lines: asTexts(placesOf(own, wantedLines, isSilent, { within, partitions })),
      elsewhere: endpoints =>
        elsewhereIn(endpoints, where => asTexts(placesOf(own, where, null, { within, partitions }))),
    },
    sums: sumsOf(own, within, partitions),
    elsewhere: endpoints => elsewhereIn(endpoints, where => lines(where)),
    scan: select([named(count(), 'n')], {
      from: own.relation(own.columns, { partitions, records: within }),
      where: within,
    }),
  }
}

/**
 * The objects of lines, each once; and before them, the count of lines that are alike.
 *
 * @param isSilent of these the lines themselves; null: of none. Their fields are null for an object that is named for its records.
 */
function placesOf(
  own: EngineRecords,
  where: Expression,
  isSilent: Expression | null,
  { within, partitions }: { within: Expression | null; partitions: Expression | null },
): Select {
  const fields = isSilent === null ? [] : [...own.fields.keys()]
  const whole = within === null ? where : all([where, within])
  const from = own.texts(['_path', ...whole.columns], { partitions, records: whole })
  const texts = fields.map(name => named(choose([[isSilent!, column(textOf(name))]]), name))
  const items = [ownColumn('_path'), ...fields.map(name => ownColumn(name))]
  return select([named(count(), '_alike'), ...items], {
    from: select([ownColumn('_path'), ...texts], { from, where: whole }),
    groupBy: ['_path', ...fields].map(name => column(name)),
    orderBy: [order(column('_path'))],
  })
}

/** Records that overlap the time; null: all. */
export function windowOf({ columns }: EngineRecords, { from_us, to_us }: Omit<Wanted, 'where'>): Expression | null {
  const at = (us: bigint): Expression => parameter(us, 'i64')
  const test = (name: string, comparator: '<' | '>=', us: bigint): Expression =>
    columns.has(name) ? compare(comparator, microseconds(column(name)), at(us)) : no
  const tests = [
    ...(to_us === null ? [] : [test('start', '<', to_us)]),
    ...(from_us === null ? [] : [test('end', '>=', from_us)]),
  ]
  return tests.length === 0 ? null : firstKnown(all(tests), no)
}

function sumsOf(own: EngineRecords, within: Expression | null, partitions: Expression | null): Select {
  const has = (name: string): boolean => own.columns.has(name)
  const known = (name: string, otherwise: Expression = unknown('text')): Expression =>
    has(name) ? column(name) : otherwise
  const times = ['start', 'end'].map(name => (has(name) ? microseconds(column(name)) : unknown('i64'))) as [
    Expression,
    Expression,
  ]
  const sensors = sensorFields.filter(has).map(name => column(name))
  const [first, last] = [firstKnown(...times), firstKnown(times[1], times[0])]
  const items = [
    ownColumn('_path'),
    named(sensors.length === 0 ? unknown('text') : firstKnown(...sensors), 'sensor'),
    ...otherSensors.map(name => named(known(name), name)),
    named(first, 'first_us'),
    named(last, 'last_us'),
    named(minus(first, remainder(first, constant(minute_us))), 'minute'),
    named(known('action'), 'action'),
  ]
  const needs = ['_path', 'start', 'end', 'action', ...sensorFields, ...otherSensors].filter(
    name => name === '_path' || has(name),
  )
  const from = own.relation([...needs, ...(within?.columns ?? [])], { partitions, records: within })
  const keys = ['_path', 'sensor', ...otherSensors].map(name => column(name))
  return asTexts(
    select(
      [
        ...['_path', 'sensor', ...otherSensors].map(name => ownColumn(name)),
        named(aggregate('min', column('first_us')), 'from_us'),
        named(aggregate('max', column('last_us')), 'to_us'),
        named(aggregate('max', minus(column('last_us'), column('first_us'))), 'longest_us'),
        named(count(), 'records'),
        named(count(equal(column('action'), constant('ACCEPT'))), 'accepted'),
        named(count(equal(column('action'), constant('REJECT'))), 'rejected'),
      ],
      { from: select(items, { from, where: within }), groupBy: [...keys, column('minute')] },
    ),
  )
}

/** Rows that a list in a statement may have. */
const listMost = 20_000

/** Endpoints by their text, and records that name another address of one of the hosts: these tell which legs of a connection count. */
function elsewhereOf(own: EngineRecords, endpoints: readonly string[]): { where: Expression; named: Select['named'] } {
  if (endpoints.length > listMost)
    throw new QuestionTooLong(`who listens is open for ${endpoints.length} endpoints, more than ${listMost}`, {
      hint: 'a shorter time (--from, --to) or fewer addresses have fewer',
    })
  const text = (name: string): string => `CAST(${quotedName(name)} AS VARCHAR)`
  const isListed = (value: string, reads: readonly string[], list: string): Expression =>
    trusted(`${value} IN (SELECT k FROM ${list})`, reads, 'trino')
  const has = (name: string): boolean => own.columns.has(name)
  const ends = (['src', 'dst'] as const).filter(side => has(`${side}addr`) && has(`${side}port`) && has('protocol'))
  const asked = ends.map(side => {
    const [seen, end] = [`${side}addr`, `pkt_${side}addr`]
    const address = has(end) ? `coalesce(${text(end)}, ${text(seen)})` : text(seen)
    const names = [seen, ...(has(end) ? [end] : []), `${side}port`, 'protocol']
    return isListed(`concat(${address}, ' ', ${text(`${side}port`)}, ' ', ${text('protocol')})`, names, 'asked')
  })
  const naming = (['src', 'dst'] as const).flatMap(side => {
    const [seen, end] = [`${side}addr`, `pkt_${side}addr`]
    if (!has(seen) || !has(end)) return []
    const of = [seen, end].map(name => isListed(text(name), [name], 'hosts'))
    return [all([compare('<>', column(seen), column(end)), any(of)])]
  })
  const list = (name: string, text: string) => ({ name, reused: false, query: trusted(text, [], 'trino') })
  // Texts that were made of numbers: addresses, ports, protocols.
  const values = endpoints.map(one => `('${plain(one)}')`).join(', ')
  const lists = [
    list('asked', `SELECT k FROM (VALUES ${values}) AS v(k)`),
    ...(naming.length === 0 ? [] : [list('hosts', `SELECT DISTINCT split_part(k, ' ', 1) AS k FROM asked`)]),
  ]
  const portful = among(
    column('protocol'),
    [6, 17, 132].map(number => constant(number)),
  )
  return {
    where: any([all([portful, any(asked)]), ...naming]),
    named: lists,
  }
}

function plain(text: string): string {
  if (!/^[0-9a-f.: ]+$/.test(text)) throw new Error('an endpoint is made of digits')
  return text
}
