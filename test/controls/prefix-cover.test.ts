import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coverOf, widestCover } from '../../src/controls/prefix-cover.ts'
import { parseAddress } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { holds } from './made-traffic.ts'

const limits = { near: 120, widest: 112, most: 5 }
const cover = (texts: readonly string[], avoid: readonly string[] = [], some = limits): string[] | null =>
  coverOf(
    texts.map(text => parseAddress(text)!),
    avoid.map(text => parsePrefix(text)!),
    some,
  )?.map(one => one.text) ?? null

test('an address is its own prefix, neighbours share one, others do not', () => {
  assert.deepEqual(cover([]), [])
  assert.deepEqual(cover(['192.0.2.1']), ['192.0.2.1'])
  assert.deepEqual(cover(['192.0.2.1', '192.0.2.1']), ['192.0.2.1'])
  assert.deepEqual(cover(['192.0.2.1', '192.0.2.254']), ['192.0.2.0/24'])
  assert.deepEqual(cover(['192.0.2.1', '192.0.3.1']), ['192.0.2.1', '192.0.3.1'])
  assert.deepEqual(cover(['8.8.8.8', '8.8.4.4', '1.1.1.1']), ['1.1.1.1', '8.8.4.4', '8.8.8.8'])
})

test('where they are too many, networks join as little as is needed', () => {
  const eight = Array.from({ length: 8 }, (_, i) => `10.0.${i}.1`)
  assert.deepEqual(cover(eight), ['10.0.0.1', '10.0.1.1', '10.0.2.0/23', '10.0.4.0/23', '10.0.6.0/23'])
  assert.equal(cover(Array.from({ length: 8 }, (_, i) => `10.${i}.0.1`)), null)
})

test('what is to be avoided parts a prefix', () => {
  assert.deepEqual(cover(['192.0.2.8', '192.0.2.9', '192.0.2.11'], ['192.0.2.10']), ['192.0.2.8/31', '192.0.2.11'])
  assert.deepEqual(cover(['192.0.2.1', '192.0.2.130'], ['192.0.2.64/26']), ['192.0.2.1', '192.0.2.130'])
})

test('the widest prefixes are as wide as what is to be avoided lets them', () => {
  const wide = (texts: readonly string[], avoid: readonly string[]): string[] =>
    widestCover(
      texts.map(text => parseAddress(text)!),
      avoid.map(text => parsePrefix(text)!),
    ).map(one => one.text)
  assert.deepEqual(wide(['1.1.1.1', '9.9.9.9', '200.0.0.1'], ['20.106.124.93']), ['0.0.0.0/4', '200.0.0.1'])
  assert.deepEqual(wide(['2001:db8::1', '2001:db8::4'], []), ['2001:db8::/125'])
})

const four = fc.tuple(fc.constantFrom(10, 11, 192), fc.nat(3), fc.nat(3), fc.nat(15)).map(parts => parts.join('.'))
const six = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(15))
  .map(([a, b, c]) => `2001:db8:${(a + 1).toString(16)}:${(b + 1).toString(16)}::${(c + 1).toString(16)}`)

test('prefixes hold every address, none to avoid, do not overlap, and are in order', () => {
  for (const address of [four, six]) {
    fc.assert(
      fc.property(
        fc.uniqueArray(address, { minLength: 1, maxLength: 30 }),
        fc.array(address, { maxLength: 3 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(64, 112, 120, 124),
        (all, bad, most, widest) => {
          const some = all.filter(one => !bad.includes(one))
          const found = cover(some, bad, { near: Math.max(widest, 120), widest, most })
          const wide = widestCover(
            some.map(text => parseAddress(text)!),
            bad.map(text => parsePrefix(text)!),
          ).map(one => one.text)
          for (const prefixes of [found, wide]) {
            if (prefixes === null) continue
            for (const one of some) assert.equal(prefixes.filter(prefix => holds(prefix, one)).length, 1)
            for (const one of bad) assert.ok(!prefixes.some(prefix => holds(prefix, one)))
          }
          assert.ok(found === null || found.length <= Math.max(most, 0))
          assert.ok(
            found === null ||
              found.every(
                prefix =>
                  Number(prefix.split('/')[1] ?? 128) + (prefix.includes(':') || !prefix.includes('/') ? 0 : 96) >=
                  widest,
              ),
          )
        },
      ),
      { numRuns: 300, seed: 14 },
    )
  }
})
