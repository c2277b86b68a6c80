import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { formatOf } from '../../src/cli/flows-output.ts'
import { completeFlows, type FlowsPlace, flowsValues } from '../../src/flows/complete.ts'
import { flowsCompletionContext } from '../../src/flows/context.ts'
import { orderOf } from '../../src/flows/order.ts'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { saveQuery } from '../../src/flows/saved.ts'
import type { Case } from '../../src/store/case.ts'
import { answerOf, caseOf, type Work, workFolder } from './support.ts'

let work: Work
let opened: Case
before(async () => {
  work = workFolder()
  const fields =
    'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags shoe-size'
  const line = 'eni-a 10.0.0.1 198.51.100.7 40000 443 6 10 1500 1700000000 1700000050 ACCEPT 2 44'
  writeFileSync(join(work.root, 'a.log'), `${fields}\n${line}\n`)
  opened = await caseOf(work.root, [join(work.root, 'a.log')])
})
after(async () => {
  await opened.close()
  work.close()
})

const texts = (place: FlowsPlace, text: string, context = {}): string[] =>
  completeFlows(place, text, text.length, context).items.map(item => item.text)

const columns = new Set(['_file', '_line', 'srcaddr', 'dstport', 'packets', 'bytes', 'start', 'end', 'action'])
const offers: [place: FlowsPlace, text: string, expected: string[], from?: number][] = [
  ['aggregate', '', ['srcip', 'srcip4/24', 'srcip6/64', 'srcaddr', 'srcaddr4/24', 'srcaddr6/64', 'dstport', 'action']],
  ['aggregate', 'srcip4/24,d', ['dstport'], 10],
  ['aggregate', 'dstport,d', [], 8],
  ['aggregate', 'SRCIP6', ['srcip6/64']],
  ['stat', 're', ['record']],
  ['stat', 'srcip/by', ['bytes'], 6],
  ['stat', 'srcip4/24/pp', ['pps'], 10],
  ['stat', 'dstport:p/pa', ['packets'], 10],
  ['stat', 'nothing/by', []],
  ['order', 'ts', ['tstart']],
  ['output', 'bi', ['biline', 'bilong']],
  ['output', 'fm', ['fmt:']],
  ['distinct', 'by', ['bytes']],
  ['percentile', 'bytes/9', ['bytes/95', 'bytes/99']],
  ['bin', '1', ['1s', '10s', '1m', '10m', '15m', '1h', '1d']],
  ['evidence', '', ['logs', 'packets']],
  ['query', 'w', ['who', 'worm-2']],
]
for (const [place, text, expected, from = 0] of offers) {
  test(`after --${place} ${text}| come ${expected.join(', ') || 'no words'}`, () => {
    const found = completeFlows(place, text, text.length, { columns, queries: ['worm-2', 'from', 'who'] })
    assert.deepEqual(
      found.items.map(item => item.text),
      expected,
    )
    assert.deepEqual([found.from, found.to], [from, text.length])
  })
}

test('text after the cursor stays', () => {
  const { from, to, items } = completeFlows('aggregate', 'srcip,proto', 7, {})
  assert.deepEqual([from, to], [6, 7])
  assert.ok(items.some(item => item.text === 'proto'))
  assert.ok(items.every(item => item.text.startsWith('p')))
})

test('of a case there are its fields, those that Tidemark does not know too, and its saved queries', async () => {
  await saveQuery(opened, 'worm-2', { filter: 'dst port 445' })
  const context = await flowsCompletionContext(opened)
  assert.deepEqual(texts('query', '', context), ['worm-2'])
  assert.deepEqual(texts('aggregate', 'shoe', context), ['shoe_size'])
  assert.deepEqual(texts('aggregate', 'input', context), [], 'a field that the case lacks')
  assert.deepEqual(texts('aggregate', 'srcvl', context), [])
})

test('whatever is offered is taken', async () => {
  const context = await flowsCompletionContext(opened)
  const ask = (request: FlowsRequest): Promise<unknown> => answerOf(opened, request)
  for (const element of texts('aggregate', '', context)) await ask({ by: [element] })
  for (const element of texts('stat', '', context)) await ask({ stat: { element } })
  for (const element of texts('distinct', '', context)) await ask({ by: [], distinct: [element] })
  for (const one of texts('percentile', '')) await ask({ by: [], percentiles: [one] })
  for (const order of texts('order', '')) assert.ok(orderOf(order))
  for (const order of flowsValues('stat').after) assert.ok(orderOf(order.text))
  for (const output of texts('output', '')) assert.equal(formatOf({ output } as never), output)
  // Without a case: what no record has is unknown, and still an element.
  for (const element of texts('aggregate', '')) await ask({ by: [element] })
})
