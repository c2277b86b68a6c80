/**
 * Time bins: what a record moved is spread over the bins that it touches, in proportion to time (SiLK's rwcount, load scheme 4), and
 * adds up to the byte: shares are cut to whole ones, what is left goes to the bins with the largest remainders, the earlier first.
 *
 * Of the bins of one record all but the first and the last are alike, so that three shares and the number of bins in between that get
 * one more say everything. Records are summed up by first and last bin, and only these sums are spread.
 */
import { UserError } from '../errors.ts'
import {
  aggregate,
  all,
  any,
  call,
  cast,
  choose,
  column,
  common,
  compare,
  constant,
  count,
  each,
  equal,
  every,
  firstKnown,
  isUnknown,
  join,
  microseconds,
  minus,
  named,
  onlyValue,
  order as ordered,
  own,
  plus,
  quotient,
  renamed,
  select,
  table,
  times,
  unionAll,
  unknown,
  yes,
} from '../query/build.ts'
import type { Expression, Item, Named, Ordering, Query, Select } from '../query/nodes.ts'
import { isAlways } from '../query/walk.ts'
import { groupsInOnePass, seriesInOnePass } from './bins-one-pass.ts'
import type { Element } from './elements.ts'
import { isRejected } from './measures.ts'
import { direction, groupsOfBins, orderOf } from './order.ts'
import {
  byKeys,
  grouping,
  keyColumns,
  keyItems,
  keyName,
  keysOut,
  matching,
  type Plan,
  type PlannedColumn,
  type Setting,
  type TimeWindow,
} from './plan.ts'
import { sharesOf } from './shares.ts'

const binsMost = 1_000_000
const counters = ['packets', 'bytes'] as const

/** @param span when the case's first record begins and its last one ends; `window`: only these bins are wanted. */
export function binPlan(
  s: Setting,
  keys: readonly Element[],
  span: TimeWindow | null,
  window: TimeWindow | null,
): Plan {
  const width = BigInt(s.request.bin_ms!) * 1000n
  const around = window ?? span
  if (around !== null && (around.to_us - around.from_us) / width > BigInt(binsMost)) {
    throw new UserError(`exceeds ${binsMost.toLocaleString('en-US')} time bins`, {
      status: 2,
      hint: 'take wider ones, or a window: between … and …',
    })
  }
  const cells = cellsOf(s, keys, width, around)
  const names = keys.map(({ name }) => name)
  const hasAction = s.records.columns.has('action')
  const measures = ['records', ...(hasAction ? ['rejected'] : []), ...counters]
  const columns: PlannedColumn[] = [
    { name: 'bin', type: 'time', unit: null },
    ...keyColumns(keys),
    ...measures.map(name => ({
      name,
      type: 'integer' as const,
      unit: name === 'bytes' ? ('B' as const) : name === 'packets' ? ('packets' as const) : ('records' as const),
    })),
  ]
  const isOther = s.request.other === true && keys.length > 0
  if (!s.dialect.rereads) {
    const statement = inOnePass(s, { cells, keys: names, measures, width }, isOther)
    const part: PlannedColumn = { name: 'part', type: 'text', unit: null }
    return { statement, columns: isOther ? [part, ...columns] : columns, totals: true }
  }
  const number = (query: Query): Expression => onlyValue(query)
  const rowsOf = (name: string, where: Expression | null = null): Expression =>
    number(select([named(count(), 'n')], { from: table(name), where }))
  const series = keys.length === 0
  const cut = series ? cutOf(s, measures) : null
  const sum = (name: string): Expression =>
    measures.includes(name)
      ? number(select([named(aggregate('sum', column(name)), 'n')], { from: table('cells') }))
      : unknown('whole')
  const listed = rowsOf('page', equal(column('part'), constant('top')))
  const items = [
    named(rowsOf(series ? 'series' : 'cells'), '_rows'),
    ...['records', 'rejected', 'packets', 'bytes'].map(name => named(sum(name), `_${name}`)),
    named(minus(rowsOf(series ? 'series' : 'cells'), series ? rowsOf('page') : listed), '_left'),
    named(yes, '_is'),
    ...(isOther ? [own('part')] : []),
    named(call('time-at', cast(times(column('bin'), constant(width)), 'i64')), 'bin'),
    ...[...names, ...measures].map(own),
  ]
  const orderBy = [
    ...(cut?.orderBy ?? []),
    ordered(column('bin', 'page')),
    ...(isOther ? [ordered(equal(column('part'), constant('other')))] : []),
    ...byKeys(names),
  ]
  const chosen = cut === null ? chosenOf(s, names, measures) : [common('series', filled(measures), true), cut.page]
  const statement = select(items, { named: [...cells, ...chosen], from: table('page'), orderBy })
  const part: PlannedColumn = { name: 'part', type: 'text', unit: null }
  return { statement, columns: isOther ? [part, ...columns] : columns, totals: true }
}

function inOnePass(s: Setting, cells: Parameters<typeof groupsInOnePass>[0], isOther: boolean): Select {
  const { request } = s
  if (cells.keys.length === 0) {
    cutOf(s, cells.measures)
    return seriesInOnePass(cells)
  }
  const by = rankedBy(request.order ?? 'bytes', cells.measures, name => column(name))
  const rank = { of: orderOf(request.order ?? 'bytes'), descending: by.descending }
  return groupsInOnePass(cells, rank, request.limit === undefined ? groupsOfBins : request.limit, isOther)
}

/** What the parts of the question share. */
interface Binning {
  s: Setting
  keys: readonly Element[]
  /** Microseconds. */
  width: Expression
  hasAction: boolean
  /** Whether records are read twice: all are summed up by where they begin, and of those that go on into other bins the shares are moved. */
  twice: boolean
}

/** `cells`: what each group has in each bin. Records without times are in the bin that is null. */
function cellsOf(s: Setting, keys: readonly Element[], width: bigint, around: TimeWindow | null): Named[] {
  // Nearly all records are within one bin. Where it costs little to read them twice, that is faster.
  const twice = isAlways(s.filter.where) && s.collapsed === null && s.window === null && s.dialect.rereads
  const b: Binning = { s, keys, width: constant(width), hasAction: s.records.columns.has('action'), twice }
  const records = recordsOf(b)
  const spread = spreadOver(b, around === null ? null : binsOf(around, width))
  const cells = twice ? begunAndMoved(b, records, spread) : spread
  return [common('grouped', grouped(b, records), true), common('cells', cells, true)]
}

function binsOf({ from_us, to_us }: TimeWindow, width: bigint): { first: bigint; last: bigint } {
  return { first: from_us / width, last: (to_us > from_us ? to_us - 1n : to_us) / width }
}

/** The records with what is needed of them: begin `s` and end `e`, in microseconds. */
function recordsOf({ s, keys, hasAction }: Binning): Select {
  const { columns } = s.records
  const needs = ['start', 'end', 'packets', 'bytes', 'action', ...keys.flatMap(key => key.value.columns)]
  const counts = counters.map(name => {
    // DuckDB adds numbers of 64 bits with a sign without making numbers of 128 bits of each.
    const own = s.small ? cast(column(name), 'i64') : column(name)
    const known = columns.has(name) ? own : unknown('i64')
    return named(s.acceptedOnly ? choose([[isRejected, constant(0)]], known) : known, name)
  })
  const [start, end] = [microseconds(column('start')), microseconds(column('end'))]
  const hasTimes = columns.has('start') && columns.has('end')
  const ends = hasTimes
    ? [named(start, 's'), named(call('greatest', start, end), 'e')]
    : [named(unknown('i64'), 's'), named(unknown('i64'), 'e')]
  const rejected = hasAction ? [named(isRejected, 'rejected')] : []
  const present = needs.filter(name => columns.has(name))
  return select([...keyItems(keys), ...ends, ...counts, ...rejected], matching(s, present))
}

/** `grouped`: sums of shares by first bin `f`, last bin `l` and how many middle bins get one more. */
function grouped({ s, keys, width, hasAction, twice }: Binning, records: Select): Query {
  const k = grouping(keys)
  const [begin, end] = [column('s'), column('e')]
  const first = quotient(begin, width)
  const last = quotient(minus(end, constant(1)), width)
  const isLonger = compare('>', end, begin)
  const placed = select(
    [every(), named(first, 'f'), named(choose([[isLonger, last]], first), 'l'), named(minus(end, begin), 'd')],
    { from: records },
  )
  const kept = ['f', 'l', ...(hasAction ? ['rejected'] : []), ...counters].map(own)
  const shared = select([...keyOwn(keys), ...kept, ...counters.flatMap(name => sharesOf(name, width, s.small))], {
    from: placed,
    where: twice ? all([isLonger, compare('<>', last, first)]) : null,
  })
  const by = ['f', 'l', ...counters.map(name => `${name}_left`)]
  const sums = counters.flatMap(name => {
    const begun = column(`${name}_first`)
    return [
      named(aggregate('sum', twice ? minus(begun, column(name)) : begun), `${name}_first`),
      ...['middle', 'last'].map(part => named(aggregate('sum', column(`${name}_${part}`)), `${name}_${part}`)),
    ]
  })
  const counts = [
    named(count(), 'n'),
    ...(hasAction ? [named(count(column('rejected')), 'nr')] : []),
    ...counters.map(name => named(aggregate('count-known', column(name)), `${name}_n`)),
  ]
  return select([...keyOwn(keys), ...by.map(own), ...counts, ...sums], {
    from: shared,
    groupBy: [...k, ...by.map(name => column(name))],
  })
}

function keyOwn(keys: readonly Element[]): Item[] {
  return keys.map(({ name }) => own(keyName(name)))
}

/** What `grouped` puts into each bin; bin `i` of a group is its first one plus `i`. */
function spreadOver(b: Binning, within: { first: bigint; last: bigint } | null): Query {
  const { keys, hasAction, twice } = b
  const [i, f, l] = [column('i'), column('f'), column('l')]
  const zero = constant(0)
  const isFirst = equal(firstKnown(i, zero), zero)
  const bin = plus(f, i)
  const inBin = counters.map(name => {
    const more = choose([[compare('<=', i, column(`${name}_left`)), column(`${name}_n`)]], zero)
    const value = choose(
      [
        [isFirst, column(`${name}_first`)],
        [equal(i, minus(l, f)), column(`${name}_last`)],
      ],
      plus(column(`${name}_middle`), more),
    )
    return named(aggregate('sum', value), name)
  })
  const begun = (name: string): Expression =>
    cast(twice ? zero : aggregate('sum', choose([[isFirst, column(name)]], zero)), 'i64')
  const starts = [named(begun('n'), 'records'), ...(hasAction ? [named(begun('nr'), 'rejected')] : [])]
  const isWanted =
    within === null
      ? null
      : any([
          isUnknown(i),
          all([compare('>=', bin, constant(within.first)), compare('<=', bin, constant(within.last))]),
        ])
  const most = call('least', minus(l, f), constant(binsMost))
  const bins = each(table('grouped'), 'i', { first: zero, last: most, absent: isUnknown(f) })
  return select([named(bin, 'bin'), ...keysOut(keys), ...starts, ...inBin], {
    from: bins,
    where: isWanted,
    groupBy: [bin, ...grouping(keys)],
  })
}

/** Records summed up in the bins where they begin, and with that what is `moved` from there into other bins. */
function begunAndMoved({ keys, width, hasAction }: Binning, records: Query, moved: Query): Query {
  const names = ['bin', ...keys.map(({ name }) => name)]
  const sums = counters.map(name => named(aggregate('sum', column(name)), name))
  const counted = [named(count(), 'records'), ...(hasAction ? [named(count(column('rejected')), 'rejected')] : [])]
  const counts = ['records', ...(hasAction ? ['rejected'] : [])].map(name =>
    named(cast(aggregate('sum', column(name)), 'i64'), name),
  )
  const bin = quotient(column('s'), width)
  const begun = select([named(bin, 'bin'), ...keysOut(keys), ...counted, ...sums], {
    from: records,
    groupBy: [bin, ...grouping(keys)],
  })
  return select([...names.map(own), ...counts, ...sums], {
    from: unionAll([moved, begun]),
    groupBy: names.map(name => column(name)),
  })
}

/** `page` of a series without keys: all of it, or as many bins as are wanted, and in which order. */
function cutOf({ request }: Setting, measures: readonly string[]): { page: Named; orderBy: Ordering[] } {
  const { order, limit = null } = request
  const isInTime = order === undefined || orderOf(order) === 'start'
  const orderBy = isInTime ? [] : [rankedBy(order, measures, name => column(name))]
  const all = { from: table('series') }
  const some = { ...all, orderBy: [...orderBy, ordered(column('bin'))], limit: limit ?? 0 }
  return { page: common('page', select([every()], limit === null ? all : some)), orderBy }
}

/** @throws UserError for what bins do not count. */
function rankedBy(text: string, measures: readonly string[], of: (name: string) => Expression): Ordering {
  const order = orderOf(text)
  if (measures.includes(order)) return ordered(of(order), direction(order))
  throw new UserError(`time bins are not ranked by: ${order}`, { status: 2, hint: 'by bytes, packets or records' })
}

/** A series without keys: every bin from the first to the last, those without records too. */
function filled(measures: readonly string[]): Query {
  const bin = column('bin', 'cells')
  const values = measures.map(name => named(choose([[isUnknown(bin), constant(0)]], column(name, 'cells')), name))
  const ends = [named(aggregate('min', column('bin')), 'first_bin'), named(aggregate('max', column('bin')), 'last_bin')]
  const bins = each(select(ends, { from: table('cells') }), 'bin', {
    first: column('first_bin'),
    last: column('last_bin'),
  })
  const all = select([named(column('bin', 'all_bins'), 'bin'), ...values], {
    from: join('left', renamed(bins, 'all_bins'), table('cells'), equal(bin, column('bin', 'all_bins'))),
  })
  const without = select([own('bin'), ...measures.map(own)], { from: table('cells'), where: isUnknown(column('bin')) })
  return unionAll([all, without])
}

/** `page` of the groups that are largest over all bins. */
function chosenOf(s: Setting, keys: readonly string[], measures: readonly string[]): Named[] {
  const sum = (name: string): Expression => aggregate('sum', column(name))
  const by: Ordering[] = [rankedBy(s.request.order ?? 'bytes', measures, sum), ...byKeys(keys)]
  const limit = s.request.limit === undefined ? groupsOfBins : s.request.limit
  const top = select(keys.map(own), {
    from: table('cells'),
    groupBy: keys.map(name => column(name)),
    orderBy: by,
    limit,
  })
  const isTop = all(keys.map(name => compare('same', column(name, 'top'), column(name, 'cells'))))
  const ofCells = (name: string): Item => named(column(name, 'cells'), name)
  const listed = select([named(constant('top'), 'part'), ...['bin', ...keys, ...measures].map(ofCells)], {
    from: join('semi', table('cells'), table('top'), isTop),
  })
  if (s.request.other !== true) return [common('top', top), common('page', listed)]
  const rest = [
    named(constant('other'), 'part'),
    ofCells('bin'),
    ...keys.map(name => named(unknown(), name)),
    ...measures.map(name => named(aggregate('sum', column(name, 'cells')), name)),
  ]
  const others = select(rest, {
    from: join('anti', table('cells'), table('top'), isTop),
    groupBy: [column('bin', 'cells')],
  })
  return [common('top', top), common('page', unionAll([listed, others]))]
}
