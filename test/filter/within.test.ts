import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../src/filter/ast.ts'
import { parse } from '../../src/filter/filter.ts'
import { type Begin, beginsWithin, overlaps, readWithin } from '../../src/filter/within.ts'

/** `(a and b) and c` is `a and b and c`. */
function flat(node: Node): Node {
  if (node.kind === 'not') return { ...node, node: flat(node.node) }
  if (node.kind !== 'and' && node.kind !== 'or') return node
  const nodes = node.nodes.map(flat).flatMap(one => (one.kind === node.kind ? one.nodes : [one]))
  return { ...node, nodes }
}

const filters = [
  '',
  ' # nothing yet',
  'dst port 443',
  'port 80 or port 443',
  'port 80 || port 443',
  'port 80 # or not',
  '# first\nport 80 or proto udp # last',
  'port in [80, 443]',
  'not (port 80 or port 443)',
  'sensor = "a or b # c"',
]
const yearMillion_us = 253_402_300_800_000_000n
const times: Begin[] = [
  { from_us: 1_695_927_600_000_000, to_us: null },
  { from_us: null, to_us: 1_695_927_600_500_000 },
  { from_us: -1, to_us: 253_402_300_799_000_000n },
  { from_us: -62_135_596_800_000_000n, to_us: yearMillion_us },
  { from_us: yearMillion_us },
  {},
]

test('a filter within a time means both, however it was written', () => {
  for (const filter of filters)
    for (const time of times) {
      const text = beginsWithin(filter, time)
      assert.deepEqual(flat(parse(text).ast), flat(readWithin(parse(filter), time).ast), text)
    }
  assert.equal(beginsWithin('port 80', {}), 'port 80')
})

test('the bounds of a time are its first moment and the one after its last', () => {
  assert.equal(
    beginsWithin('port 80 or port 443', { from_us: 0, to_us: 1_500_000 }),
    '(port 80 or port 443) and first seen >= 1970-01-01T00:00:00Z and first seen < 1970-01-01T00:00:01.500Z',
  )
  assert.equal(beginsWithin('', { to_us: yearMillion_us }), 'first seen <= 9999-12-31T23:59:59.999999Z')
  assert.equal(
    overlaps('ip 10.0.0.1', '2023-09-28T19:00:00Z', '2023-09-28T20:00:00Z').slice(12),
    'and between 2023-09-28T19:00:00Z and 2023-09-28T20:00:00Z',
  )
})
