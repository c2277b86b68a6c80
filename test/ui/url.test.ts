import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstState, readUrl, urlOf, type ViewState } from '../../src/ui/url.ts'

const second = fc.option(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }))
const word = fc.stringMatching(/^[a-z_]{1,12}$/)
const states: fc.Arbitrary<ViewState> = fc.record({
  path: fc.constantFrom('/', '/hosts', '/host/10.0.0.1', '/host/2001%3Adb8%3A%3A1', '/record/3/17'),
  filter: fc.string({ unit: 'grapheme' }),
  from: second,
  to: second,
  zoomFrom: second,
  zoomTo: second,
  measure: fc.constantFrom('bytes', 'packets', 'records'),
  pins: fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 4 }),
  raw: fc.boolean(),
  sort: fc.option(word),
  columns: fc.option(fc.array(word, { minLength: 1, maxLength: 4 })),
  own: fc.dictionary(
    word.map(name => `_${name}`),
    fc.string({ unit: 'grapheme', minLength: 1 }),
    { maxKeys: 3 },
  ),
})

function opened(url: string): ViewState {
  const { pathname, search } = new URL(url, 'http://127.0.0.1')
  return readUrl(pathname, search)
}

test('a view that is written as an address is read as the same view', () => {
  fc.assert(
    fc.property(states, state => {
      assert.deepEqual({ ...opened(urlOf(state)) }, { ...state, own: { ...state.own } })
    }),
    { numRuns: 1000 },
  )
})

test('a view that says nothing has an address that says nothing', () => {
  assert.equal(urlOf(firstState), '/')
})

test('what an address says wrongly is left out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), search => {
      const state = readUrl('/', search)
      assert.equal(urlOf(opened(urlOf(state))), urlOf(state))
    }),
  )
  const state = readUrl('/', '?from=yesterday&to=2023-02-30T99:00:00Z&m=litres&raw=yes&z0=2023-09-28&other=1')
  assert.deepEqual(state, firstState)
})
