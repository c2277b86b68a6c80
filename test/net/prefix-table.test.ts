import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ListEntries } from '../../src/enrich/list-entries.ts'
import { plainPrefix, readPlain } from '../../src/enrich/plain-prefix.ts'
import { lengthOf } from '../../src/filter/set.ts'
import { compareAddresses, formatAddress } from '../../src/net/address.ts'
import { type Prefix, parsePrefix, prefixContains } from '../../src/net/prefix.ts'
import { PrefixRows, type PrefixTable } from '../../src/net/prefix-table.ts'

/** Prefixes and addresses close enough to meet: of IPv4, and around it, of IPv6. */
const hosts = fc.integer({ min: 0, max: 1023 })
const address = fc
  .tuple(fc.constantFrom('10.0.', '::ffff:a00:', '2001:db8::', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:'), hosts)
  .map(([begin, host]) => (begin.includes(':') ? `${begin}${host.toString(16)}` : `${begin}${host >> 8}.${host & 255}`))
const prefix = fc
  .tuple(address, fc.integer({ min: 0, max: 128 }))
  .map(([text, bits]) => parsePrefix(`${text}/${text.includes(':') ? bits : bits % 33}`)!)

function tableOf(prefixes: readonly Prefix[]): PrefixTable {
  const rows = new PrefixRows()
  for (const [i, one] of prefixes.entries()) rows.addRange(one, i)
  return rows.table()
}

/** The numbers of the prefixes that hold an address, the longest first; of the same the last first. */
function slowly(prefixes: readonly Prefix[], one: Prefix): number[] {
  const size = ({ first, last }: Prefix): bigint => ((last.hi - first.hi) << 64n) + last.lo - first.lo
  return prefixes
    .map((_, i) => i)
    .filter(i => prefixContains(prefixes[i]!, one.first))
    .sort((a, b) => {
      const order = size(prefixes[a]!) - size(prefixes[b]!)
      return order === 0n ? b - a : order < 0n ? -1 : 1
    })
}

function found(table: PrefixTable, { first }: Prefix): number[] {
  const ids: number[] = []
  for (let row = table.find(first.hi, first.lo); row >= 0; row = table.around(row)) ids.push(table.id(row))
  return ids
}

test('a table finds the prefixes that a list of all finds, the longest first', () => {
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 40 }), fc.array(address, { maxLength: 20 }), (prefixes, addresses) => {
      const table = tableOf(prefixes)
      for (const text of addresses) {
        const one = parsePrefix(text)!
        assert.deepEqual(found(table, one), slowly(prefixes, one), text)
      }
    }),
  )
})

test('many rows, which are sorted by their digits, are found as few are', () => {
  const prefixes = Array.from({ length: 6000 }, (_, i) => {
    const host = (i * 7919) % 4096
    const four = `10.${host >> 8}.${host & 255}.0/${16 + (i % 17)}`
    return parsePrefix(i % 3 === 0 ? `2001:db8:${host.toString(16)}::/${32 + (i % 97)}` : four)!
  })
  const table = tableOf(prefixes)
  for (let i = 0; i < 300; i++) {
    const one = parsePrefix(formatAddress(prefixes[i * 17]!.first.hi, prefixes[i * 17]!.first.lo))!
    assert.deepEqual(found(table, one), slowly(prefixes, one))
  }
})

test('a range holds its first and its last address, and none beside them', () => {
  fc.assert(
    fc.property(address, address, (one, other) => {
      const [first, last] = [parsePrefix(one)!.first, parsePrefix(other)!.first].sort(compareAddresses) as [
        never,
        never,
      ]
      const rows = new PrefixRows()
      rows.addRange({ first, last }, 7)
      const table = rows.table()
      const value = ({ hi, lo }: { hi: bigint; lo: bigint }): bigint => (hi << 64n) | lo
      const holds = (at: bigint): boolean => table.find(at >> 64n, at & 0xffff_ffff_ffff_ffffn) >= 0
      const [from, to] = [value(first), value(last)]
      assert.deepEqual([holds(from), holds(to), holds((from + to) / 2n)], [true, true, true])
      if (from > 0n) assert.equal(holds(from - 1n), false)
      if (to < (1n << 128n) - 1n) assert.equal(holds(to + 1n), false)
      assert(table.count <= 254)
    }),
  )
})

test('a match is the longest prefix that was valid at the time', () => {
  const time = fc.integer({ min: 0, max: 20 })
  const entry = fc.tuple(prefix, time, time).map(([one, from, length]) => ({ one, from, until: from + length + 1 }))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), address, time, time, (all, text, from, length) => {
      const entries = new ListEntries()
      for (const [i, { one, from, until }] of all.entries())
        entries.add(one, { line: i + 1, validity: { from_us: from, until_us: until } })
      const { first } = parsePrefix(text)!
      const match = entries.finish('l', 'l.txt').match(first.hi, first.lo, from, from + length)
      const valid = all.filter(one => one.from <= from + length && from < one.until)
      const holding = slowly(
        valid.map(({ one }) => one),
        parsePrefix(text)!,
      ).map(i => valid[i]!)
      const longest = holding.filter(({ one }) => one.text === holding[0]!.one.text)
      assert.equal(match?.line ?? null, longest.length === 0 ? null : all.indexOf(longest.at(-1)!) + 1)
    }),
  )
})

test('what is read as a plain prefix is the prefix that it is, and nothing else is', () => {
  const digit = fc.constantFrom(...'0123456789abcdefABCDEF:::....//gx- '.split(''))
  const near = fc.tuple(address, fc.integer({ min: 0, max: 130 })).map(([text, bits]) => `${text}/${bits}`)
  const any = fc.array(digit, { maxLength: 24 }).map(letters => letters.join(''))
  const six = fc
    .array(fc.constantFrom('', '0', 'a', 'ffff', '12345', 'F0'), { maxLength: 9 })
    .map(parts => parts.join(':'))
  const into = plainPrefix()
  fc.assert(
    fc.property(fc.oneof(address, near, any, six), text => {
      if (!readPlain(text, into)) {
        // Left to the slow way, which refuses it too, unless it has a dotted end.
        if (!/:.*[.]/.test(text)) assert.equal(parsePrefix(text), null, text)
        return
      }
      const { first } = parsePrefix(text)!
      const words = [first.hi >> 32n, first.hi & 0xffff_ffffn, first.lo >> 32n, first.lo & 0xffff_ffffn].map(Number)
      assert.deepEqual([...into], [...words, lengthOf(parsePrefix(text)!)], text)
    }),
    { numRuns: 2000 },
  )
})
