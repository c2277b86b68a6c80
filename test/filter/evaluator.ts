/**
 * A second meaning of filters, without SQL: from docs/reference/filter.md, for tests alone. It shares the syntax tree with the compiler, and no
 * more: values, columns and three-valued logic are worked out here again. Null is "cannot tell".
 */
import type { Node, Test, TestNode, Value } from '../../src/filter/ast.ts'
import type { Cell, Row } from './flows.ts'

type Truth = boolean | null

export interface Setting {
  /** First and last moment of the case. */
  first_us: bigint
  last_us: bigint
  /** Ranges of the analyst's own networks. */
  internal: readonly (readonly [bigint, bigint])[]
}

export function evaluate(node: Node, row: Row, setting: Setting): Truth {
  switch (node.kind) {
    case 'any':
      return true
    case 'not':
      return not(evaluate(node.node, row, setting))
    case 'and':
      return every(node.nodes.map(one => evaluate(one, row, setting)))
    case 'or':
      return some(node.nodes.map(one => evaluate(one, row, setting)))
    case 'between':
      return overlaps(row, node.from_us, node.to_us)
    case 'edge': {
      const { first_us, last_us } = setting
      return node.edge === 'first'
        ? overlaps(row, first_us, first_us + node.us)
        : overlaps(row, last_us - node.us, last_us)
    }
    default:
      return evaluateTest(node, row, setting)
  }
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth
}

function every(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false
  return truths.includes(null) ? null : true
}

function some(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true
  return truths.includes(null) ? null : false
}

function overlaps(row: Row, from: bigint, to: bigint): Truth {
  const start = number(row, 'start')
  const end = number(row, 'end')
  return every([start === null ? null : start <= to, end === null ? null : end >= from])
}

function number(row: Row, name: string): bigint | null {
  const value = row[name] ?? null
  return typeof value === 'bigint' ? value : null
}

/** The ranges that are internal by themselves: RFC 1918, 6598, 1122, 3927, 4193, 4291. */
const v4 = (text: string): bigint =>
  0xffff_0000_0000n | text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
const internalRanges: readonly (readonly [bigint, bigint])[] = [
  [v4('10.0.0.0'), v4('10.255.255.255')],
  [v4('172.16.0.0'), v4('172.31.255.255')],
  [v4('192.168.0.0'), v4('192.168.255.255')],
  [v4('100.64.0.0'), v4('100.127.255.255')],
  [v4('127.0.0.0'), v4('127.255.255.255')],
  [v4('169.254.0.0'), v4('169.254.255.255')],
  [0xfcn << 120n, (0xfen << 120n) - 1n],
  [0xfe80n << 112n, (0xfec0n << 112n) - 1n],
  [1n, 1n],
]

const isV4 = (address: bigint): boolean => address >> 32n === 0xffffn

function evaluateTest({ thing, side, test }: TestNode, row: Row, setting: Setting): Truth {
  if (thing === 'inet' || thing === 'inet6') {
    const ends = [number(row, 'srcaddr'), number(row, 'dstaddr')]
    return every(ends.map(end => (end === null ? null : isV4(end) === (thing === 'inet'))))
  }
  const negated = (test.op === 'compare' && test.comparator === '!=') || ('negated' in test && test.negated)
  const sides = side === 'either' || side === 'both' ? (thing === 'if' ? ['in', 'out'] : ['src', 'dst']) : [side]
  const truths = sides.map(one => evaluateEnd(thing, one, test, row, setting))
  const truth = side === 'either' ? some(truths) : every(truths)
  return negated ? not(truth) : truth
}

function evaluateEnd(thing: string, side: string, test: Test, row: Row, setting: Setting): Truth {
  if (test.op === 'holds') {
    const address = number(row, side === 'src' ? 'srcaddr' : 'dstaddr')
    if (address === null) return null
    const internal = [...internalRanges, ...setting.internal].some(
      ([first, last]) => address >= first && address <= last,
    )
    return internal === (thing === 'internal')
  }
  if (thing === 'address') {
    const inPacket = matches(row[side === 'src' ? 'pkt_srcaddr' : 'pkt_dstaddr'] ?? null, test)
    if (test.op === 'known') return ((row[side === 'src' ? 'srcaddr' : 'dstaddr'] ?? null) !== null) === test.known
    return some([matches(row[side === 'src' ? 'srcaddr' : 'dstaddr'] ?? null, test), inPacket === true])
  }
  if (thing === 'flags') return flags(test, row)
  if (thing === 'role') return matches(row['_role'] ?? null, test)
  if (thing === 'service') return service(test, row)
  const value = valueOfThing(thing, side, row)
  const truth = matches(value, test)
  if (thing === 'port' && test.op !== 'known' && value === null) {
    const protocol = number(row, 'protocol')
    return every([truth, protocol === null ? null : [0n, 6n, 17n, 43n, 44n, 60n, 132n].includes(protocol)])
  }
  if ((thing !== 'icmp-type' && thing !== 'icmp-code') || test.op === 'known') return truth
  const protocol = number(row, 'protocol')
  return every([protocol === null ? null : protocol === 1n || protocol === 58n, truth])
}

const columns: Record<string, string> = {
  ...{
    'src ip': 'srcaddr',
    'dst ip': 'dstaddr',
    'src net': 'srcaddr',
    'dst net': 'dstaddr',
    'src port': 'srcport',
    'dst port': 'dstport',
  },
  ...{
    'src vlan': 'vlan',
    'dst vlan': 'vlan',
    'src tos': 'tos',
    proto: 'protocol',
    'first seen': 'start',
    'last seen': 'end',
  },
  ...{ flowdir: 'flow_direction', 'icmp-type': 'icmp_type', 'icmp-code': 'icmp_code' },
}

function valueOfThing(thing: string, side: string, row: Row): Cell {
  const [start, end, bytes, packets] = ['start', 'end', 'bytes', 'packets'].map(name => number(row, name)) as (
    | bigint
    | null
  )[]
  const ms = start == null || end == null ? null : (end - start) / 1000n
  switch (thing) {
    case 'duration':
      return ms
    case 'bps':
    case 'pps': {
      const count = thing === 'bps' ? bytes : packets
      if (ms === null || count == null) return null
      return ms > 0n ? (count * (thing === 'bps' ? 8000n : 1000n)) / ms : 0n
    }
    case 'bpp':
      if (bytes == null || packets == null) return null
      return packets > 0n ? bytes / packets : 0n
    case 'sensor':
      return row['interface_id'] ?? row['resource_id'] ?? null
    case 'bytes':
    case 'packets':
      return side === 'in' ? (row[thing] ?? null) : null
    default:
      return row[columns[`${side} ${thing}`] ?? columns[thing] ?? thing] ?? null
  }
}

/** A service is called by its name, and by its port and protocol. */
function service(test: Test, row: Row): Truth {
  const name = matches(row['_service'] ?? null, test)
  return test.op === 'text' || test.op === 'known' ? name : some([name, matches(row['_service_at'] ?? null, test)])
}

function flags(test: Test, row: Row): Truth {
  const set = number(row, 'tcp_flags')
  if (test.op === 'known') return (set !== null) === test.known
  const protocol = number(row, 'protocol')
  let truth: Truth = null
  if (set !== null && test.op === 'flags') {
    const bits = BigInt(test.bits)
    truth = { all: (set & bits) === bits, any: (set & bits) !== 0n, none: (set & bits) === 0n, only: set === bits }[
      test.mode
    ]
  } else if (set !== null) {
    truth = matches(set, test)
  }
  return every([protocol === null ? null : protocol === 6n, truth])
}

function matches(value: Cell, test: Test): Truth {
  if (test.op === 'known') return (value !== null) === test.known
  if (test.op === 'in-set') return inSet(value, test.set)
  if (value === null) return null
  if (test.op === 'in') return test.values.some(one => compares(value, one, '='))
  if (test.op === 'compare') return compares(value, test.value, test.comparator)
  if (test.op !== 'text' || typeof value !== 'string') throw new Error(`no test for ${test.op}`)
  return { contains: value.includes(test.text), begins: value.startsWith(test.text), ends: value.endsWith(test.text) }[
    test.how
  ]
}

function inSet(value: Cell, set: Extract<Test, { op: 'in-set' }>['set']): Truth {
  if (set.rows === 0) return false
  if (value === null) return null
  const column = (name: string): bigint[] => columnOf(set, name)
  if (set.type === 'numbers') return column('value').includes(value as bigint)
  if (set.type === 'texts') return (set.columns[0]!.type as readonly string[]).includes(value as string)
  const [hi, lo, bits] = [column('hi'), column('lo'), column('bits')]
  return bits.some((length, i) => ((value as bigint) ^ ((hi[i]! << 64n) | lo[i]!)) >> (128n - length) === 0n)
}

const columnsOf = new WeakMap<object, bigint[]>()

function columnOf(set: Extract<Test, { op: 'in-set' }>['set'], name: string): bigint[] {
  const { data } = set.columns.find(one => one.name === name)!
  const known = columnsOf.get(data) ?? Array.from(data as ArrayLike<number | bigint>, BigInt).slice(0, set.rows)
  columnsOf.set(data, known)
  return known
}

function compares(value: bigint | string, against: Value, comparator: string): boolean {
  const whole = ({ hi, lo }: { hi: bigint; lo: bigint }): bigint => (hi << 64n) | lo
  if (against.type === 'prefix') {
    return (value as bigint) >= whole(against.prefix.first) && (value as bigint) <= whole(against.prefix.last)
  }
  if (against.type === 'text') return value === against.text
  const other = against.type === 'time' ? against.us : against.number
  const number = value as bigint
  switch (comparator) {
    case '<':
      return number < other
    case '<=':
      return number <= other
    case '>':
      return number > other
    case '>=':
      return number >= other
    default:
      return number === other
  }
}
