import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Node } from '../../src/filter/ast.ts'
import { parse } from '../../src/filter/filter.ts'
import { reservedWords } from '../../src/filter/tokens.ts'
import {
  actionTerm,
  fieldTerm,
  hostTerm,
  joined,
  networkTerm,
  portTerm,
  protocolTerm,
  sensorTerm,
  type Term,
  without,
  withWindow,
} from '../../src/ui/parts/term.ts'
import { hostileTexts } from '../report/hostile-texts.ts'

function read(filter: string): Node {
  return parse(filter, { files: false }).ast
}

const terms: Term[] = [
  hostTerm('10.0.0.1'),
  hostTerm('2001:db8::1'),
  networkTerm('10.0.0.0/8'),
  portTerm(443),
  portTerm(443, 6),
  portTerm(53, 61),
  ...Array.from({ length: 256 }, (_, number) => protocolTerm(number)),
  protocolTerm(null),
  sensorTerm('eni-0a1b2c3d'),
  sensorTerm('or'),
  sensorTerm(null),
  actionTerm('REJECT'),
  actionTerm(null),
  fieldTerm('vpc_id', 'vpc-1'),
  fieldTerm('tcp_flags', 18),
  fieldTerm('bytes', 1500),
]

test('each term, each side of it and its contrary are filters that can be read', () => {
  for (const { filter, source, destination } of terms)
    for (const one of [filter, source, destination])
      if (one != null) {
        read(one)
        assert.deepEqual(read(without(one)), { kind: 'not', node: read(one) }, one)
      }
})

test('a protocol is asked for by its own number', () => {
  for (let number = 0; number < 256; number++)
    assert.deepEqual(read(protocolTerm(number).filter!), read(`proto ${number}`))
})

test('any text of a field is asked for as it is, also words of the language and hostile ones', () => {
  const asked = (text: string): void => {
    const node = read(fieldTerm('instance_id', text).filter!)
    assert.deepEqual(node.kind === 'test' && node.test, {
      op: 'compare',
      comparator: '=',
      value: { type: 'text', text },
    })
  }
  for (const text of [...reservedWords, ...hostileTexts]) asked(text)
  fc.assert(fc.property(fc.string({ unit: 'binary', minLength: 1 }), asked), { numRuns: 500 })
})

test('a column with a name that the language cannot hold is not asked for', () => {
  assert.equal(fieldTerm('a b', 'x').filter, null)
  assert.equal(fieldTerm('x" or any', 'x').filter, null)
})

/** `(a and b) and c` is `a and b and c`. */
function flat(node: Node): Node {
  if (node.kind === 'not') return { ...node, node: flat(node.node) }
  if (node.kind !== 'and' && node.kind !== 'or') return node
  const nodes = node.nodes.map(flat).flatMap(one => (one.kind === node.kind ? one.nodes : [one]))
  return { ...node, nodes }
}

test('a filter with one more term means both, however it was written', () => {
  const filters = [
    'dst port 443',
    'port 80 or port 443',
    'port 80 || port 443',
    'port 80 # or not',
    'port in [80, 443]',
    'not port 80 and src ip 10.0.0.1',
    'not (port 80 or port 443)',
    'sensor = "a or b # c"',
    '  any  ',
  ]
  for (const filter of filters)
    for (const term of ['ip 10.0.0.1', without('ip 10.0.0.1'), portTerm(22, 6).filter!])
      assert.deepEqual(flat(read(joined(filter, term))), flat(read(`(${filter}\n) and (${term})`)), filter)
  assert.equal(joined('', 'ip 10.0.0.1'), 'ip 10.0.0.1')
  assert.equal(joined(' # nothing yet', 'ip 10.0.0.1'), 'ip 10.0.0.1')
  assert.equal(joined('port in [80, 443]', 'ip 10.0.0.1'), 'port in [80, 443] and ip 10.0.0.1')
  assert.equal(joined('ip 10.0.0.1', 'ip 10.0.0.1'), 'ip 10.0.0.1')
})

test('a window is asked for by when records begin', () => {
  const from = Date.UTC(2023, 8, 28, 19) / 1000
  const filter = withWindow('port 80 or port 443', { from, to: from + 3600 })
  assert.equal(
    filter,
    '(port 80 or port 443) and first seen >= 2023-09-28T19:00:00Z and first seen < 2023-09-28T20:00:00Z',
  )
  read(filter)
  assert.equal(withWindow('', { from: null, to: null }), '')
  for (const window of [
    { from: 253_402_300_799, to: 253_402_300_800 },
    { from: 253_402_300_800, to: null },
  ])
    read(withWindow('', window))
})
