/** Numbers that are worked out of a record's own, or of a group's: whole, as nfdump has them. */
import {
  all,
  among,
  cast,
  choose,
  column,
  compare,
  constant,
  equal,
  firstKnown,
  isKnown,
  microseconds,
  minus,
  plus,
  quotient,
  times,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'

/** Whole milliseconds from `start` to `end`. */
export function milliseconds(): Expression {
  return quotient(minus(microseconds(column('end')), microseconds(column('start'))), constant(1000))
}

/** A whole number for each second, of a count over milliseconds; 0 times the count where no time passed. */
export function rate(factor: number, count: Expression, ms: Expression): Expression {
  const zero = constant(0)
  return choose([
    [compare('>', ms, zero), quotient(times(constant(factor, 'whole'), count), ms)],
    [compare('<=', ms, zero), times(zero, count)],
  ])
}

/** A whole number for each of a count; 0 where that is 0. */
export function ratio(sum: Expression, count: Expression): Expression {
  const zero = constant(0)
  return choose([
    [compare('>', count, zero), quotient(sum, count)],
    [equal(count, zero), times(zero, sum)],
  ])
}

/** nfdump keeps type and code of ICMP where the destination port of others is. */
export function destinationOfNfdump(port: Expression): Expression {
  const isIcmpType = all([among(column('protocol'), [constant(1), constant(58)]), isKnown(column('icmp_type'))])
  const type = times(cast(column('icmp_type'), 'u16'), constant(256))
  return choose([[isIcmpType, plus(type, firstKnown(column('icmp_code'), constant(0)))]], port)
}
