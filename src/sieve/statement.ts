/** The one statement by which an engine is asked which hosts may be in a finding: it reads the table once, and gives no others. */
import { asTexts } from '../flows/engine-cells.ts'
import { internalPrefixes } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import {
  aggregate,
  all,
  among,
  any,
  choose,
  column,
  constant,
  count,
  equal,
  firstKnown,
  inPrefixes,
  isKnown,
  microseconds,
  named,
  no,
  not,
  own,
  select,
  sidesOf,
  unknown,
  windowed,
} from '../query/build.ts'
import type { Expression, Item, Relation, Select } from '../query/nodes.ts'
import type { DataType } from '../query/types.ts'
import type { CaseRule } from '../rules/rule.ts'
import { sideNames } from './pair-sums.ts'
import { limitsOf, sieves } from './sieves.ts'

/** What is read of a record; those that a table lacks are unknown. */
export const sieveFields = [
  ...(['srcaddr', 'dstaddr', 'pkt_srcaddr', 'pkt_dstaddr', 'srcport', 'dstport', 'protocol'] as const),
  ...(['packets', 'bytes', 'tcp_flags', 'action', 'start', 'end'] as const),
  ...(['pkt_src_aws_service', 'pkt_dst_aws_service'] as const),
]

export interface Sieving {
  /** Rules with a sieve, with the thresholds in force. */
  rules: readonly CaseRule[]
  /** Networks that count as internal beside those that the internet does not route. */
  internal: readonly Prefix[]
  /** Which records; null: all. */
  within: Expression | null
  /** Hosts that are given at most; how many pass is counted whole. */
  limit: number
}

/**
 * Its answer has the host; of each rule whether it passes there; then hosts that pass, the time of all records, and of each rule how many pass.
 *
 * @param from the records, with `sieveFields`. @param has those of them that are there.
 *
 * A record counts for both of its ends, which are the packets' own where the log has these, as in connections.
 */
export function sieveOf(from: Relation, has: ReadonlySet<string>, sieving: Sieving): Select {
  const asked = sieving.rules.map(rule => sieves[rule.name]!.asked(limitsOf(rule), has.has('tcp_flags')))
  const sums = new Map(asked.flatMap(one => Object.entries(one.sums)))
  const pairs = pairsOf(recordsOf(from, has, sieving.within), sums)
  const internal = [...internalPrefixes, ...sieving.internal]
  const judged = select(
    [
      ...['me', 'other', 'first_us', 'last_us', ...sums.keys()].map(name => own(name)),
      named(inPrefixes(column('me'), internal), 'is_internal'),
      named(inPrefixes(column('other'), internal), 'is_other_internal'),
    ],
    { from: pairs },
  )
  const passes = asked.map((_, i) => `passes_${i}`)
  const hosts = select(
    [
      own('me'),
      ...asked.map(({ host }, i) => named(firstKnown(host, no), passes[i]!)),
      named(aggregate('min', column('first_us')), 'first_us'),
      named(aggregate('max', column('last_us')), 'last_us'),
    ],
    { from: judged, groupBy: [column('me'), column('is_internal')] },
  )
  const timed = select(
    [
      ...['me', ...passes].map(name => own(name)),
      named(windowed(aggregate('min', column('first_us'))), 'first_us'),
      named(windowed(aggregate('max', column('last_us'))), 'last_us'),
    ],
    { from: hosts },
  )
  return select(
    [
      ...['me', ...passes].map(name => own(name)),
      named(windowed(count()), 'hosts'),
      ...['first_us', 'last_us'].map(name => own(name)),
      ...passes.map((name, i) => named(windowed(aggregate('sum', oneWhere(column(name)))), `hosts_${i}`)),
    ],
    { from: timed, where: any(passes.map(name => column(name))), limit: sieving.limit },
  )
}

/** With every column as text, as an engine is asked. */
export function sieveStatement(from: Relation, has: ReadonlySet<string>, sieving: Sieving): Select {
  return asTexts(sieveOf(from, has, sieving))
}

function oneWhere(condition: Expression): Expression {
  return choose([[condition, constant(1)]], constant(0))
}

/** The records in the terms of sieves. */
function recordsOf(from: Relation, has: ReadonlySet<string>, within: Expression | null): Select {
  const known = (name: string, type: DataType): Expression => (has.has(name) ? column(name) : unknown(type))
  const end = (side: 'src' | 'dst'): Expression => {
    const names = [`pkt_${side}addr`, `${side}addr`].filter(name => has.has(name))
    return names.length === 0 ? unknown('address') : firstKnown(...names.map(name => column(name)))
  }
  const service = (side: 'src' | 'dst'): Expression => {
    const name = `pkt_${side}_aws_service`
    if (!has.has(name)) return no
    const plain = ['AMAZON', 'EC2'].map(one => constant(one))
    return firstKnown(all([isKnown(column(name)), not(among(column(name), plain))]), no)
  }
  const [start, last] = ['start', 'end'].map(name => (has.has(name) ? microseconds(column(name)) : unknown('i64'))) as [
    Expression,
    Expression,
  ]
  const items: Item[] = [
    named(end('src'), 'src'),
    named(end('dst'), 'dst'),
    named(known('srcport', 'u16'), 'src_port'),
    named(known('dstport', 'u16'), 'dst_port'),
    named(service('src'), 'src_service'),
    named(service('dst'), 'dst_service'),
    named(known('protocol', 'u8'), 'protocol'),
    named(known('packets', 'u64'), 'packets'),
    named(known('bytes', 'u64'), 'bytes'),
    named(known('tcp_flags', 'u8'), 'flags'),
    named(has.has('action') ? firstKnown(equal(column('action'), constant('REJECT')), no) : no, 'rejected'),
    named(firstKnown(start, last), 'from_us'),
    named(firstKnown(last, start), 'to_us'),
  ]
  return select(items, { from, where: within })
}

/** Sums by pair of hosts, from either of them. */
function pairsOf(records: Select, sums: ReadonlyMap<string, Expression>): Select {
  const ends = ['src', 'dst', 'is_src', 'src_port', 'dst_port', 'src_service', 'dst_service']
  const turned = ['dst', 'src', 'is_dst', 'dst_port', 'src_port', 'dst_service', 'src_service']
  const values = (names: readonly string[]): Expression[] =>
    names.map(name => (name === 'is_src' ? constant(true) : name === 'is_dst' ? no : column(name)))
  const sided = sidesOf(records, sideNames, [values(ends), values(turned)])
  const items = [
    own('me'),
    own('other'),
    named(aggregate('min', column('from_us')), 'first_us'),
    named(aggregate('max', column('to_us')), 'last_us'),
    ...[...sums].map(([name, sum]) => named(sum, name)),
  ]
  const where = all([isKnown(column('me')), isKnown(column('other'))])
  return select(items, { from: sided, where, groupBy: [column('me'), column('other')] })
}
