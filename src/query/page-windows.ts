/** A page of groups for engines that would work a named query out as often as it is read: the groups once, and totals over them as windows. */
import { assert } from '../errors.ts'
import {
  aggregate,
  all,
  any,
  choose,
  column,
  compare,
  constant,
  count,
  equal,
  every,
  firstKnown,
  named,
  no,
  order,
  own,
  rowNumber,
  select,
  windowed,
  yes,
} from './build.ts'
import type { Aggregate, Expression, Item, Page, Rest, Select } from './nodes.ts'
import { rewritten } from './rewrite.ts'

/** The same rows as `asNamedQueries`, but where there is no group at all: then there is no row, and every total is zero or unknown. */
export function asWindows(page: Page): Select {
  const { groups, measured, keep, orderBy, totals, names, rest, limit } = page
  const stays = keep === null ? yes : firstKnown(keep, no)
  const judged = select([every(), named(stays, '_stays')], {
    from: select([every(), ...measured, named(yes, '_is')], { from: groups }),
  })
  const place = rowNumber([], [order(column('_stays'), 'DESC'), ...orderBy])
  const sums = totals.map(({ value, name }) => named(overAll(value), name!))
  const ranked = select([every(), ...sums, named(place, '_n')], { from: judged })
  const isWithin = limit === null ? [] : [compare('<=', column('_n'), constant(limit))]
  const isShown = all([column('_stays'), ...isWithin])
  const totalsOut = totals.map(({ name }) => own(name!))
  if (rest !== null && limit !== null) return withRest(page, rest, ranked, isShown)
  return select([...totalsOut, named(choose([[isShown, column('_is')]]), '_is'), ...names.map(own)], {
    from: ranked,
    // The first row has the totals, whether or not its group stays.
    where: any([isShown, equal(column('_n'), constant(1))]),
    orderBy: [order(column('_n'))],
  })
}

/** Each group that is shown by itself, and all others as one. */
function withRest(
  { measured, names, totals }: Page,
  { part, items }: Rest,
  ranked: Select,
  isShown: Expression,
): Select {
  const isRest = equal(column('_place'), constant(0))
  const placed = select([every(), named(choose([[isShown, column('_n')]], constant(0)), '_place')], { from: ranked })
  const of = new Map(items.map(({ name, value }) => [name, value]))
  const summed: Item[] = names.map(name => {
    const said = aggregate('min', column(name))
    const value = of.get(name)
    return value === undefined ? named(said, shownName(name)) : named(choose([[isRest, value]], said), name)
  })
  const together = select(
    [own('_place'), ...totals.map(({ name }) => named(aggregate('min', column(name!)), name!)), ...summed],
    { from: placed, groupBy: [column('_place')] },
  )
  const computed = new Map(measured.map(({ name, value }) => [name, value]))
  const out = names.map(name => {
    if (of.has(name)) return own(name)
    const value = computed.get(name)
    assert(value !== undefined, 'a column of the other groups is summed up, or worked out')
    return named(choose([[isRest, value]], column(shownName(name))), name)
  })
  return select(
    [
      ...totals.map(({ name }) => own(name!)),
      named(yes, '_is'),
      named(choose([[isRest, constant('other')]], constant('top')), part),
      ...out,
    ],
    { from: together, orderBy: [order(isRest), order(column('_place'))] },
  )
}

/** A column of groups that are shown, before what is worked out of the others takes its name. */
function shownName(name: string): string {
  return `_shown_${name}`
}

/** An aggregate over all groups as what stands beside each of them. */
function overAll(value: Expression): Expression {
  const over = rewritten(value, part => (part.kind === 'aggregate' ? windowed(unconditional(part)) : null))
  assert(over !== null, 'totals are made of aggregates')
  return over
}

/** The same without a condition, which windows have not: rows that do not take part are unknown. */
function unconditional({ name, term, where }: Aggregate): Aggregate {
  if (where === null) return name === 'count' ? count() : aggregate(name as 'sum', term!)
  if (name === 'count') return aggregate('count-known', choose([[where, constant(1)]]))
  return aggregate(name as 'sum', choose([[where, term!]]))
}
