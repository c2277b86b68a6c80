/** How a record's counter is divided among the time bins that it touches. */
import {
  all,
  any,
  call,
  cast,
  choose,
  column,
  compare,
  constant,
  equal,
  isUnknown,
  minus,
  named,
  plus,
  quotient,
  remainder,
  times,
} from '../query/build.ts'
import type { Expression, Item } from '../query/nodes.ts'

/** Below these, products of a counter and a duration fit 64 bits. */
const countMost = 8_589_934_592
const durationMost = 1_073_741_824

/**
 * The shares of a record's first, middle and last bins, and how many middle bins get one more. With remainders r of the first (1), each of
 * m middle ones and the last (1), what is left goes to the largest; equal ones in the order of time.
 *
 * Of a record: `s`, `e` its begin and end, `d` its duration, `f`, `l` its first and last bin.
 *
 * @param small whether all products are taken to fit 64 bits, which is five times as fast.
 */
export function sharesOf(name: string, width: Expression, small: boolean): Item[] {
  const { counter, all: whole } = arithmetic(name, small)
  const [f, l, d] = [column('f'), column('l'), column('d')]
  const [zero, one, two] = [constant(0), constant(1), constant(2)]
  const first = minus(times(plus(f, one), width), column('s'))
  const last = minus(column('e'), times(l, width))
  const between = minus(minus(l, f), one)
  const q = (n: Expression, overlap: Expression): Expression => quotient(times(n, overlap), d)
  const r = (n: Expression, overlap: Expression): Expression => remainder(times(n, overlap), d)
  const left = (n: Expression): Expression =>
    minus(minus(minus(n, q(n, first)), q(n, last)), times(between, q(n, width)))
  /** How many bins come before one: those with a larger remainder, and the earlier ones with an equal one. */
  const before = {
    first: (n: Expression) =>
      plus(
        choose([[compare('>', r(n, width), r(n, first)), between]], zero),
        choose([[compare('>', r(n, last), r(n, first)), one]], zero),
      ),
    middle: (n: Expression) =>
      plus(
        choose([[compare('>=', r(n, first), r(n, width)), one]], zero),
        choose([[compare('>', r(n, last), r(n, width)), one]], zero),
      ),
    last: (n: Expression) =>
      plus(
        choose([[compare('>=', r(n, first), r(n, last)), one]], zero),
        choose([[compare('>=', r(n, width), r(n, last)), between]], zero),
      ),
  }
  const bump = (n: Expression, place: Expression): Expression => choose([[compare('>', left(n), place), one]], zero)
  const firstOfTwo = (n: Expression): Expression => quotient(plus(times(times(two, n), first), d), times(two, d))
  const isOne = any([equal(l, f), isUnknown(f)])
  const isTwo = equal(l, plus(f, one))
  const isMore = compare('>', l, plus(f, one))
  const spare = whole(n => minus(left(n), before.middle(n)))
  return [
    named(
      choose(
        [
          [isOne, counter],
          [isTwo, whole(firstOfTwo)],
        ],
        whole(n => plus(q(n, first), bump(n, before.first(n)))),
      ),
      `${name}_first`,
    ),
    named(choose([[isMore, whole(n => q(n, width))]]), `${name}_middle`),
    named(
      choose([
        [isTwo, minus(counter, whole(firstOfTwo))],
        [isMore, whole(n => plus(q(n, last), bump(n, before.last(n))))],
      ]),
      `${name}_last`,
    ),
    named(choose([[isMore, cast(call('greatest', zero, call('least', between, spare)), 'i64')]], zero), `${name}_left`),
  ]
}

/** The counter, and how something is worked out of it: in 64 bits, or else where that is not enough in more. */
function arithmetic(
  name: string,
  small: boolean,
): { counter: Expression; all: (of: (counter: Expression) => Expression) => Expression } {
  const narrow = cast(column(name), 'i64')
  if (small) return { counter: narrow, all: of => of(narrow) }
  const wide = cast(column(name), 'whole')
  const fits = all([compare('<', column(name), constant(countMost)), compare('<', column('d'), constant(durationMost))])
  return { counter: wide, all: of => choose([[fits, cast(of(narrow), 'whole')]], of(wide)) }
}
