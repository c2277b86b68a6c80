/** A page of groups for engines that read a named query twice at little cost: the groups once, then totals and the first of them. */
import {
  all,
  any,
  choose,
  column,
  common,
  compare,
  constant,
  count,
  equal,
  every,
  firstKnown,
  isUnknown,
  join,
  named,
  no,
  order,
  own,
  rowNumber,
  select,
  table,
  unionAll,
  yes,
} from './build.ts'
import type { Expression, Item, Named, Page, Query, Rest, Select } from './nodes.ts'

export function asNamedQueries(page: Page): Select {
  const { groups, measured, keep, orderBy, totals, names, rest, limit } = page
  const isRanked = rest !== null && limit !== null
  const first = isRanked
    ? withRest(page, rest, limit)
    : select([every()], { from: table('measured'), where: keep, orderBy, limit })
  const columns = isRanked ? [rest.part, ...names] : names
  return select([every('totals'), named(column('_is', 'page'), '_is'), ...columns.map(own)], {
    named: [
      common('groups', groups, true),
      common('measured', select([every(), ...measured, named(yes, '_is')], { from: table('groups') })),
      common('totals', select(totals, { from: table('measured') })),
      ...(isRanked ? [ranked(keep, orderBy)] : []),
      common('page', first),
    ],
    from: join('left', table('totals'), table('page'), yes),
    orderBy: [...(isRanked ? [order(equal(column(rest.part), constant('other')))] : []), ...orderBy],
  })
}

/** Groups with their places among those that stay; without one those that do not. */
function ranked(keep: Expression | null, orderBy: Page['orderBy']): Named {
  const stays = keep === null ? yes : firstKnown(keep, no)
  const place = choose([[column('_stays'), rowNumber([column('_stays')], orderBy)]])
  const judged = select([every(), named(stays, '_stays')], { from: table('measured') })
  return common('ranked', select([every(), named(place, '_n')], { from: judged }), true)
}

/** The first groups, and one row for all that are not among them, so that a column adds up to its total. */
function withRest({ measured, names }: Page, { part, items }: Rest, limit: number): Query {
  const place = column('_n')
  const top = select([own('_is'), named(constant('top'), part), ...names.map(own)], {
    from: table('ranked'),
    where: compare('<=', place, constant(limit)),
  })
  const left = select([...items, named(count(), '_groups')], {
    from: table('ranked'),
    where: any([isUnknown(place), compare('>', place, constant(limit))]),
  })
  const known = new Set<string | null>(items.map(({ name }) => name))
  const more: Item[] = measured.filter(({ name }) => !known.has(name))
  const summed = select([every(), ...more], { from: left })
  const other = select([named(yes, '_is'), named(constant('other'), part), ...names.map(own)], {
    from: summed,
    where: all([compare('>', column('_groups'), constant(0))]),
  })
  return unionAll([top, other])
}
