import assert from 'node:assert/strict'
import { isIPv4 as nodeIsIPv4, isIPv6 as nodeIsIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareAddresses, formatAddress, isIPv4, parseAddress } from '../../src/net/address.ts'

const half = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })

/** RFC 5952, 4 written down again: longest run of two or more zero groups, the first of equals. */
function rfc5952(hi: bigint, lo: bigint): string {
  const value = (hi << 64n) | lo
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(16 * (7 - i))) & 0xffffn).toString(16))
  for (let length = 8; length >= 2; length--) {
    for (let at = 0; at + length <= 8; at++) {
      if (groups.slice(at, at + length).every(group => group === '0')) {
        return `${groups.slice(0, at).join(':')}::${groups.slice(at + length).join(':')}`
      }
    }
  }
  return groups.join(':')
}

const canonical: [string, string][] = [
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // one zero group stays
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'], // the longest run
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], // the first of equal runs
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['2001:DB8::A', '2001:db8::a'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::ffff:a00:1', '10.0.0.1'],
  ['::10.0.0.1', '::a00:1'], // IPv4-compatible, not IPv4-mapped
  ['::', '::'],
  ['::1', '::1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
]
for (const [text, expected] of canonical) {
  test(`writes ${text} as ${expected}`, () => {
    const address = parseAddress(text)
    assert.ok(address)
    assert.equal(formatAddress(address.hi, address.lo), expected)
  })
}

const refused = ['', '-', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '0x1.2.3.4', '1.2.3.', '.1.2.3', ' 1.2.3.4']
refused.push('1..2.3', '1.2.3.4\n', '1.2.3.4/8', '20.106.124.93:80', '::ffff:01.2.3.4', '::ffff:0x10.2.3.4', ':::')
refused.push('1::2::3', '12345::', 'fe80::1%eth0', '[::1]', '1:2:3:4:5:6:7', '1:2:3:4::5:6:7:8', '::1.2.3.4:5', 'g::')
for (const text of refused) {
  test(`takes ${JSON.stringify(text)} for no address`, () => assert.equal(parseAddress(text), null))
}

test('an address survives its text', () => {
  fc.assert(
    fc.property(half, half, (hi, lo) => {
      assert.deepEqual(parseAddress(formatAddress(hi, lo)), { hi, lo })
    }),
  )
})

test('text of addresses with many zero groups is that of RFC 5952', () => {
  const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, fc.bigInt({ min: 0n, max: 0xffffn }))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), groups => {
      const value = groups.reduce((sum, g) => (sum << 16n) | g, 0n)
      const [hi, lo] = [value >> 64n, value & 0xffff_ffff_ffff_ffffn]
      if (!isIPv4({ hi, lo })) assert.equal(formatAddress(hi, lo), rfc5952(hi, lo))
    }),
  )
})

test('agrees with Node about what an address is', () => {
  const near = fc.string({ unit: fc.constantFrom('0', '1', '25', 'f', 'a', ':', '::', '.', '-'), maxLength: 14 })
  fc.assert(
    fc.property(fc.oneof(near, fc.ipV4(), fc.ipV6()), text => {
      assert.equal(parseAddress(text) !== null, nodeIsIPv4(text) || nodeIsIPv6(text), text)
    }),
    { numRuns: 2000 },
  )
})

test('orders addresses by value', () => {
  fc.assert(
    fc.property(half, half, half, half, (a, b, c, d) => {
      const [x, y] = [(a << 64n) | b, (c << 64n) | d]
      assert.equal(Math.sign(compareAddresses({ hi: a, lo: b }, { hi: c, lo: d })), x < y ? -1 : x > y ? 1 : 0)
    }),
  )
})
