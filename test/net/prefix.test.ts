import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import { internalPrefixes, isInternal } from '../../src/net/internal.ts'
import { parsePrefix, prefixContains } from '../../src/net/prefix.ts'

const canonical: [string, string][] = [
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['10.1.2.3/32', '10.1.2.3'],
  ['10.1.2.3', '10.1.2.3'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.1/80', '::/80'],
  ['2001:db8:ffff::1/33', '2001:db8:8000::/33'],
  ['2001:db8::1/128', '2001:db8::1'],
]
for (const [text, expected] of canonical) {
  test(`reads ${text} as ${expected}`, () => {
    assert.equal(parsePrefix(text)?.text, expected)
    assert.deepEqual(parsePrefix(expected), parsePrefix(text))
  })
}

for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/+8', '10.0.0.0/8/8', '::/129', '/8', '10/8']) {
  test(`takes ${text} for no prefix`, () => assert.equal(parsePrefix(text), null))
}

test('a prefix holds exactly the addresses that share its leading bits', () => {
  const value = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
  const mask64 = (1n << 64n) - 1n
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: 128 }), value, (base, length, noise) => {
      const shift = BigInt(128 - length)
      const near = base ^ (noise & ((1n << (shift + 1n)) - 1n) & ((1n << 128n) - 1n))
      // Through hexadecimal groups, so that the length always counts from 128.
      const groups = Array.from({ length: 8 }, (_, i) => ((base >> BigInt(16 * (7 - i))) & 0xffffn).toString(16))
      const prefix = parsePrefix(`${groups.join(':')}/${length}`)
      assert.ok(prefix)
      const holds = prefixContains(prefix, { hi: near >> 64n, lo: near & mask64 })
      assert.equal(holds, base >> shift === near >> shift)
    }),
  )
})

const internal = ['10.130.8.94', '172.31.255.255', '192.168.0.1', '100.64.0.1', '127.0.0.1', '169.254.169.254']
internal.push('fd00:ec2::254', 'fe80::1', '::1', '::ffff:10.0.0.1')
for (const text of internal) {
  test(`${text} is internal`, () => assert.ok(isInternal(parseAddress(text)!)))
}
for (const text of ['20.106.124.93', '172.32.0.0', '100.128.0.0', '11.0.0.0', '2001:db8::1', '::', '::2', 'fec0::1']) {
  test(`${text} is not internal`, () => assert.ok(!isInternal(parseAddress(text)!)))
}

test('the analyst can add internal prefixes', () => {
  assert.ok(isInternal(parseAddress('20.106.124.93')!, [parsePrefix('20.0.0.0/8')!]))
})

test('internal prefixes are canonical', () => {
  for (const { text, first } of internalPrefixes) {
    assert.equal(text.split('/')[0], formatAddress(first.hi, first.lo))
  }
})
