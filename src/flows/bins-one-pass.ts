/** Time bins for engines that would read the records once more for each part of an answer: totals and ranks are windows over the cells. */
import {
  aggregate,
  call,
  cast,
  choose,
  column,
  compare,
  constant,
  count,
  equal,
  every,
  minus,
  named,
  order as ordered,
  own,
  select,
  table,
  times,
  unknown,
  windowed,
  yes,
} from '../query/build.ts'
import type { Expression, Item, Named, Ordering, Select } from '../query/nodes.ts'
import { byKeys, totalNames } from './plan.ts'

interface Cells {
  cells: readonly Named[]
  keys: readonly string[]
  measures: readonly string[]
  /** Microseconds. */
  width: bigint
}

const sumsOut = totalNames.slice(0, 6).map(own)

/** Every bin that has something, in the order of time: who reads them puts in those between, and cuts them off. */
export function seriesInOnePass({ cells, measures, width }: Cells): Select {
  const rows = select([every(), ...sumsOver(measures), named(constant(0), '_left')], { from: table('cells') })
  return select([...sumsOut, named(yes, '_is'), binOut(width), ...measures.map(own)], {
    named: cells,
    from: rows,
    orderBy: [ordered(column('bin'))],
  })
}

/**
 * The cells of the groups that are largest over all bins.
 *
 * @param rank what groups are ranked by, over a group's cells together. @param other whether there is a row a bin for all other groups.
 */
export function groupsInOnePass(
  { cells, keys, measures, width }: Cells,
  rank: { of: string; descending: boolean },
  limit: number | null,
  other: boolean,
): Select {
  const within = keys.map(name => column(name))
  const by = windowed(aggregate('sum', column(rank.of)), { within })
  const summed = select([every(), named(by, '_by')], { from: table('cells') })
  const places: Ordering[] = [ordered(column('_by'), rank.descending ? 'DESC' : 'ASC'), ...byKeys(keys)]
  const placed = select(
    [every(), ...sumsOver(measures), named(windowed('dense-rank', { orderBy: places }), '_place')],
    { from: summed },
  )
  const isTop = limit === null ? yes : compare('<=', column('_place'), constant(limit))
  const listed = windowed(aggregate('count-known', choose([[isTop, constant(1)]])))
  const counted = select([every(), named(minus(column('_rows'), listed), '_left')], { from: placed })
  const isOther = equal(column('part'), constant('other'))
  const rows = other
    ? together(counted, keys, measures, isTop)
    : select([every(), named(constant('top'), 'part')], { from: counted, where: isTop })
  return select(
    [...sumsOut, named(yes, '_is'), ...(other ? [own('part')] : []), binOut(width), ...[...keys, ...measures].map(own)],
    {
      named: cells,
      from: rows,
      orderBy: [ordered(column('bin')), ...(other ? [ordered(isOther)] : []), ...byKeys(keys)],
    },
  )
}

/** The cells of the first groups, and one a bin of all others. */
function together(counted: Select, keys: readonly string[], measures: readonly string[], isTop: Expression): Select {
  const parted = select(
    [
      ...[...totalNames.slice(0, 6), 'bin', ...measures].map(own),
      named(choose([[isTop, constant('top')]], constant('other')), 'part'),
      ...keys.map(name => named(choose([[isTop, column(name)]]), name)),
    ],
    { from: counted },
  )
  const by = ['part', 'bin', ...keys]
  return select(
    [
      ...by.map(own),
      ...totalNames.slice(0, 6).map(name => named(aggregate('min', column(name)), name)),
      ...measures.map(name => named(aggregate('sum', column(name)), name)),
    ],
    { from: parted, groupBy: by.map(name => column(name)) },
  )
}

/** `_rows`, and the sums over all cells. */
function sumsOver(measures: readonly string[]): Item[] {
  const sum = (name: string): Expression =>
    measures.includes(name) ? windowed(aggregate('sum', column(name))) : unknown('whole')
  return [
    named(windowed(count()), '_rows'),
    ...['records', 'rejected', 'packets', 'bytes'].map(name => named(sum(name), `_${name}`)),
  ]
}

function binOut(width: bigint): Item {
  return named(call('time-at', cast(times(column('bin'), constant(width)), 'i64')), 'bin')
}
