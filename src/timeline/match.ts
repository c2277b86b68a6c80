/**
 * Filters that the time index answers by itself, with the same meaning as `filter/condition.ts`: tests of addresses, ports, protocol, sensor,
 * action, counters and whole seconds.
 */
import { setImmediate } from 'node:timers/promises'
import { assert } from '../errors.ts'
import type { Node, Side, Test, TestNode, Value } from '../filter/ast.ts'
import { isTurned, unturned } from '../filter/condition.ts'
import { endsOf, thingOf } from '../filter/things.ts'
import { internalPrefixes } from '../net/internal.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { mayHavePorts } from '../net/protocols.ts'
import { sensorFields } from '../records/sensor.ts'
import type { Going } from './going.ts'
import { flag, noProtocol } from './layout.ts'
import { wordsFor } from './mask.ts'
import type { TimeIndex } from './read.ts'
import { hasAny } from './running.ts'
import { always, BlockColumns, byTable, joined, notTest, type RowTest, type Truth, truth, truthOf } from './truth.ts'

/** What the meaning of a filter depends on. */
interface Meaning {
  index: TimeIndex
  /** Columns of the records: a test of another cannot be told. */
  columns: ReadonlySet<string>
  internal: readonly Prefix[]
}

/** Bits of rows that match, and of those of which it cannot be told; null: none of these. */
interface MatchedBits {
  words: Uint32Array
  unknown: Uint32Array | null
}

/** Whether the index knows enough to tell which rows match. */
export function isKnownToIndex(ast: Node, meaning: Meaning): boolean {
  return testOf(ast, meaning) !== null
}

/** Rows that match a filter that is known to the index. @throws DamagedSections; the signal's reason. */
export async function matchedRows(ast: Node, meaning: Meaning, { signal }: Going): Promise<MatchedBits> {
  const { index } = meaning
  const test = testOf(ast, meaning)
  assert(test !== null, 'the index knows enough')
  const words = wordsFor(index.rows)
  const unknown = wordsFor(index.rows)
  const columns = new BlockColumns(index)
  const truths = new Uint8Array(index.blockRows)
  for (let block = 0; block < index.blocks; block++) {
    columns.turnTo(block)
    test(columns, truths)
    for (let row = 0; row < columns.rows; row += 32) {
      let yes = 0
      let open = 0
      const to = Math.min(32, columns.rows - row)
      for (let bit = 0; bit < to; bit++) {
        const one = truths[row + bit]!
        yes |= (one >>> 1) << bit
        open |= (one & truth.unknown) << bit
      }
      words[(columns.first + row) >>> 5] = yes
      unknown[(columns.first + row) >>> 5] = open
    }
    if (block % 8 === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  return { words, unknown: hasAny(unknown, 0, index.rows) ? unknown : null }
}

function testOf(node: Node, m: Meaning): RowTest | null {
  switch (node.kind) {
    case 'any':
      return always(truth.yes)
    case 'not': {
      const inner = testOf(node.node, m)
      return inner === null ? null : notTest(inner)
    }
    case 'and':
    case 'or': {
      const every = node.nodes.map(one => testOf(one, m))
      return every.includes(null) ? null : joined(every as RowTest[], node.kind === 'and', m.index.blockRows)
    }
    case 'test':
      return thingTest(node, m)
    default:
      return null
  }
}

/** As `conditionOf`. */
function thingTest({ thing: name, side, test }: TestNode, m: Meaning): RowTest | null {
  if (name === 'inet' || name === 'inet6') return familyTest(name === 'inet', m)
  const { sides, every } = endsOf(thingOf(name), side)
  const turned = isTurned(test)
  const plain = turned ? unturned(test) : test
  if (plain.op === 'in-set' || plain.op === 'flags') return null
  const ends = sides.map(one => endTest(name, one, plain, m))
  if (ends.includes(null)) return null
  const both = joined(ends as RowTest[], every, m.index.blockRows)
  return turned ? notTest(both) : both
}

function endTest(name: string, side: Side, test: Test, m: Meaning): RowTest | null {
  switch (name) {
    case 'address':
      // Where records have their packets' own addresses, these are asked too.
      return m.columns.has('pkt_srcaddr') || m.columns.has('pkt_dstaddr') ? null : addressTest(side, test, m)
    case 'ip':
    case 'net':
      return addressTest(side, test, m)
    case 'internal':
    case 'external':
      return internalTest(name === 'internal', side, test, m)
    case 'port':
      return portTest(side, test, m)
    case 'proto':
      return protocolTest(test, m)
    case 'action':
    case 'sensor':
      return textTest(name, test, m)
    case 'bytes':
    case 'packets':
      return side === 'in' ? counterTest(name, test, m) : null
    case 'first seen':
    case 'start':
      return startTest(test, m)
    default:
      return null
  }
}

const endOf = (side: Side): 'source' | 'destination' | null =>
  side === 'src' ? 'source' : side === 'dst' ? 'destination' : null
const addressOf = { source: 'srcaddr', destination: 'dstaddr' } as const
const portOf = { source: 'srcport', destination: 'dstport' } as const

function addressTest(side: Side, test: Test, m: Meaning): RowTest | null {
  const end = endOf(side)
  if (end === null) return null
  const isThere = m.columns.has(addressOf[end])
  const { hosts } = m.index.about
  if (test.op === 'known') {
    if (!isThere) return always(truthOf(!test.known))
    const table = new Uint8Array(hosts + 1).fill(truthOf(test.known))
    table[hosts] = truthOf(!test.known)
    return byTable(end, table)
  }
  const values = valuesOf(test)
  if (values === null || values.some(value => value.type !== 'prefix')) return null
  if (!isThere) return always(truth.unknown)
  return byTable(
    end,
    inTable(
      m.index,
      values.flatMap(value => (value.type === 'prefix' ? [value.prefix] : [])),
    ),
  )
}

/** By host: whether it is in some prefixes; of none it cannot be told. */
function inTable(index: TimeIndex, prefixes: readonly Prefix[], isNegated = false): Uint8Array {
  const marks = index.hostsIn(prefixes)
  const table = new Uint8Array(marks.length + 1)
  for (let host = 0; host < marks.length; host++) table[host] = truthOf((marks[host] === 1) !== isNegated)
  table[marks.length] = truth.unknown
  return table
}

function internalTest(isInternal: boolean, side: Side, test: Test, m: Meaning): RowTest | null {
  const end = endOf(side)
  if (end === null || test.op !== 'holds') return null
  if (!m.columns.has(addressOf[end])) return always(truth.unknown)
  return byTable(end, inTable(m.index, [...internalPrefixes, ...m.internal], !isInternal))
}

const four = parsePrefix('0.0.0.0/0')!

function familyTest(isFour: boolean, m: Meaning): RowTest {
  const ends = (['source', 'destination'] as const).map(end =>
    m.columns.has(addressOf[end]) ? byTable(end, inTable(m.index, [four], !isFour)) : always(truth.unknown),
  )
  return joined(ends, true, m.index.blockRows)
}

/** Values any of which is meant; null for another kind of test. */
function valuesOf(test: Test): readonly Value[] | null {
  if (test.op === 'in') return test.values
  return test.op === 'compare' && test.comparator === '=' ? [test.value] : null
}

/** Whether a number passes; null for another kind of test. */
function numberTest(test: Test): ((number: number) => boolean) | null {
  const values = valuesOf(test)
  if (values !== null) {
    if (values.some(value => value.type !== 'number')) return null
    const numbers = new Set(values.map(value => (value.type === 'number' ? Number(value.number) : Number.NaN)))
    return number => numbers.has(number)
  }
  if (test.op !== 'compare' || test.value.type !== 'number') return null
  const bound = Number(test.value.number)
  const compared = { '<': -1, '<=': -1, '>': 1, '>=': 1 } as const
  const { comparator } = test
  if (comparator === '=' || comparator === '!=') return null
  const sign = compared[comparator]
  const isEqual = comparator.endsWith('=')
  return number => (number === bound ? isEqual : sign * (number - bound) > 0)
}

function portTest(side: Side, test: Test, m: Meaning): RowTest | null {
  const end = endOf(side)
  if (end === null) return null
  const isThere = m.columns.has(portOf[end])
  const bit = end === 'source' ? flag.sourcePortKnown : flag.destinationPortKnown
  const { kinds } = m.index.about
  if (test.op === 'known') {
    if (!isThere) return always(truthOf(!test.known))
    const table = Uint8Array.from(kinds, ([, , , flags]) => truthOf(((flags & bit) !== 0) === test.known))
    return byTable('kind', table)
  }
  const passes = numberTest(test)
  if (passes === null) return null
  if (!isThere) return always(truth.unknown)
  const ofPort = Uint8Array.from({ length: 1 << 16 }, (_, port) => truthOf(passes(port)))
  const hasProtocol = m.columns.has('protocol')
  // Of a port that is not known it cannot be told, unless the protocol has none.
  const unknown = 3
  const ofKind = Uint8Array.from(kinds, ([, , protocol, flags]) => {
    if ((flags & bit) !== 0) return unknown
    return !hasProtocol || protocol === noProtocol || mayHavePorts.includes(protocol) ? truth.unknown : truth.no
  })
  const name = end === 'source' ? 'sourcePort' : 'destinationPort'
  return (columns, into) => {
    const [ports, kind] = [columns.get(name), columns.get('kind')]
    for (let row = 0; row < columns.rows; row++) {
      const told = ofKind[kind[row]!]!
      into[row] = told === unknown ? ofPort[ports[row]!]! : told
    }
  }
}

function protocolTest(test: Test, m: Meaning): RowTest | null {
  const isThere = m.columns.has('protocol')
  const { kinds } = m.index.about
  if (test.op === 'known') {
    if (!isThere) return always(truthOf(!test.known))
    return byTable(
      'kind',
      Uint8Array.from(kinds, ([, , protocol]) => truthOf((protocol !== noProtocol) === test.known)),
    )
  }
  const passes = numberTest(test)
  if (passes === null) return null
  if (!isThere) return always(truth.unknown)
  const told = (protocol: number): Truth => (protocol === noProtocol ? truth.unknown : truthOf(passes(protocol)))
  return byTable(
    'kind',
    Uint8Array.from(kinds, ([, , protocol]) => told(protocol)),
  )
}

function textTest(name: 'action' | 'sensor', test: Test, m: Meaning): RowTest | null {
  const { kinds, sensors, actions, areSensorsTold } = m.index.about
  if (name === 'sensor' && !areSensorsTold) return null
  const isThere = name === 'action' ? m.columns.has('action') : sensorFields.some(field => m.columns.has(field))
  const names = [null, 'ACCEPT', 'REJECT', ...actions]
  const texts = kinds.map(([sensor, of]) => (name === 'action' ? names[of]! : sensors[sensor]!))
  if (test.op === 'known') {
    if (!isThere) return always(truthOf(!test.known))
    return byTable(
      'kind',
      Uint8Array.from(texts, text => truthOf((text !== null) === test.known)),
    )
  }
  const passes = textPasses(test)
  if (passes === null) return null
  if (!isThere) return always(truth.unknown)
  return byTable(
    'kind',
    Uint8Array.from(texts, text => (text === null ? truth.unknown : truthOf(passes(text)))),
  )
}

function textPasses(test: Test): ((text: string) => boolean) | null {
  if (test.op === 'text') {
    const { how, text: part } = test
    if (how === 'contains') return text => text.includes(part)
    return how === 'begins' ? text => text.startsWith(part) : text => text.endsWith(part)
  }
  const values = valuesOf(test)
  if (values === null || values.some(value => value.type !== 'text')) return null
  const texts = new Set(values.map(value => (value.type === 'text' ? value.text : '')))
  return text => texts.has(text)
}

function counterTest(name: 'bytes' | 'packets', test: Test, m: Meaning): RowTest | null {
  const bit = name === 'bytes' ? flag.bytesUnknown : flag.packetsUnknown
  const { kinds } = m.index.about
  const isThere = m.columns.has(name)
  if (test.op === 'known') {
    if (!isThere) return always(truthOf(!test.known))
    return byTable(
      'kind',
      Uint8Array.from(kinds, ([, , , flags]) => truthOf(((flags & bit) === 0) === test.known)),
    )
  }
  const passes = numberTest(test)
  // Beyond 2^53 a number is not exact.
  if (passes === null || BigInt(m.index.about[name]) > BigInt(Number.MAX_SAFE_INTEGER)) return null
  if (!isThere) return always(truth.unknown)
  const isKnown = Uint8Array.from(kinds, ([, , , flags]) => Number((flags & bit) === 0))
  return (columns, into) => {
    const [low, high, kind] = [columns.get(name), columns.get(`${name}High`), columns.get('kind')]
    for (let row = 0; row < columns.rows; row++) {
      if (isKnown[kind[row]!] === 0) into[row] = truth.unknown
      else into[row] = passes(high[row]! * 2 ** 32 + low[row]!) ? truth.yes : truth.no
    }
  }
}

/** Before a whole second, or not before it: of others the index does not know enough. */
function startTest(test: Test, m: Meaning): RowTest | null {
  if (test.op !== 'compare' || test.value.type !== 'time' || test.value.us % 1_000_000n !== 0n) return null
  const isBefore = test.comparator === '<'
  if (!isBefore && test.comparator !== '>=') return null
  if (!m.columns.has('start')) return always(truth.unknown)
  const second = Number(test.value.us / 1_000_000n)
  const { timed } = m.index.about
  return (columns, into) => {
    const seconds = columns.get('second')
    const { first } = columns
    for (let row = 0; row < columns.rows; row++)
      into[row] = first + row >= timed ? truth.unknown : truthOf(seconds[row]! < second === isBefore)
  }
}
