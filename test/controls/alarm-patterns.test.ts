// Patterns of alarms: prefixes as wildcards against every address near their borders, and what does not fit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  administrationPattern,
  outboundPattern,
  prefixTerms,
  rejectPattern,
} from '../../src/controls/alarm-patterns.ts'
import { extract, parsePattern, patternLengthMax } from '../../src/controls/filter-pattern.ts'
import { type Address, formatAddress, parseAddress } from '../../src/net/address.ts'
import { parsePrefix, prefixContains } from '../../src/net/prefix.ts'
import { randomNumbers } from '../detect/graphs.ts'

const termsOf = (text: string): string[] | null => prefixTerms(parsePrefix(text)!)

for (const [prefix, terms] of [
  ['10.0.0.0/8', ['10.*']],
  ['192.168.0.0/16', ['192.168.*']],
  ['10.1.2.0/24', ['10.1.2.*']],
  ['10.1.2.3', ['10.1.2.3']],
  ['172.16.0.0/12', Array.from({ length: 16 }, (_, i) => `172.${16 + i}.*`)],
  ['10.0.0.0/7', ['10.*', '11.*']],
  ['10.1.2.128/28', Array.from({ length: 16 }, (_, i) => `10.1.2.${128 + i}`)],
  ['10.1.2.128/25', null],
  ['10.0.0.0/11', null],
  ['0.0.0.0/0', null],
  ['fc00::/7', ['fc*', 'fd*']],
  ['2001:db8::/32', ['2001:db8:*']],
  ['2001::/16', ['2001:*']],
  ['2001:db8:7:8::/64', ['2001:db8:7:8:*']],
  ['2001:db8::/48', null],
  ['2001:db8::/33', null],
  ['fe80::/10', ['fe8*', 'fe9*', 'fea*', 'feb*']],
  ['::/0', null],
  ['::1', ['::1']],
] as const)
  test(`${prefix} is ${terms === null ? 'no beginning of a text' : terms.length > 3 ? `${terms.length} texts` : terms.join(' and ')}`, () => {
    assert.deepEqual(termsOf(prefix), terms)
  })

const matches = (terms: readonly string[], address: Address): boolean => {
  const value = formatAddress(address.hi, address.lo)
  const condition = terms.map(term => `a = ${term.endsWith('*') ? term : `"${term}"`}`).join(' || ')
  return extract(parsePattern(`[${condition}, b]`), `${value} x`) !== null
}

test('the texts of random prefixes hold their addresses and no others', () => {
  let written = 0
  for (let seed = 0; seed < 3000; seed++) {
    const below = randomNumbers(seed)
    const isFour = below(2) === 0
    const group = (): string => (below(3) === 0 ? '0' : below(0x1_0000).toString(16))
    const base = isFour
      ? Array.from({ length: 4 }, () => below(256)).join('.')
      : Array.from({ length: 8 }, group).join(':')
    const length = isFour ? [8, 12, 16, 20, 24, 28, 32][below(7)] : [7, 8, 12, 16, 32, 48, 64, 128][below(8)]
    const prefix = parsePrefix(`${base}/${length}`)!
    const terms = prefixTerms(prefix)
    if (terms === null) continue
    written++
    const near = [
      prefix.first,
      prefix.last,
      { ...prefix.first, lo: prefix.first.lo - 1n },
      { ...prefix.last, lo: prefix.last.lo + 1n },
    ]
    const others = Array.from({ length: 4 }, () => ({
      hi: isFour ? 0n : (prefix.first.hi & ~0xffffn) | BigInt(below(0x1_0000)),
      lo: isFour ? (0xffffn << 32n) | BigInt(below(2 ** 32)) : BigInt(below(2 ** 32)),
    }))
    for (const address of [...near, ...others]) {
      if (address.lo < 0n || address.lo > 0xffff_ffff_ffff_ffffn) continue
      assert.equal(
        matches(terms, address),
        prefixContains(prefix, address),
        `${prefix.text} ${formatAddress(address.hi, address.lo)}`,
      )
    }
  }
  assert(written > 1000)
})

const fields =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'.split(
    ' ',
  )
const event = (values: Record<string, string | number>): string => fields.map(field => values[field] ?? '-').join(' ')
const wish = { fields, hosts: ['10.0.0.5'], hasAction: true }
const addresses = (count: number, network = '198.51.100'): string[] =>
  Array.from(
    { length: count },
    (_, i) => `${network.split('.').length === 3 ? network : `${network}.${i >> 8}`}.${i & 255}`,
  )

test('ports that are served beyond those that fit are told, and count', () => {
  const served = Array.from({ length: 90 }, (_, i) => 8000 + i)
  const { pattern, notes } = outboundPattern({ ...wish, approved: [443], served, inside: [] })!
  assert(pattern.length <= patternLengthMax)
  assert.match(notes.join(), /answers from ports 80\d\d, .* and \d+ more count too/)
  const sent = (port: number): string =>
    event({ srcaddr: '10.0.0.5', dstaddr: '203.0.113.9', srcport: port, dstport: 4444, bytes: 9, action: 'ACCEPT' })
  assert.equal(extract(parsePattern(pattern), sent(8000)), null)
  assert.equal(extract(parsePattern(pattern), sent(8089))!.get('$bytes'), '9')
})

test('a prefix that no wildcard is, is told', () => {
  const inside = ['10.0.0.0/8', '10.1.2.128/25'].map(text => parsePrefix(text)!)
  const { notes } = outboundPattern({ ...wish, approved: [443], served: [], inside })!
  assert.match(notes.join(), /traffic to 10\.1\.2\.128\/25 is counted: no wildcard is that prefix/)
})

test('known addresses are named, then by their networks, then the first few, and what that means is told', () => {
  const of = (known: string[]) => administrationPattern({ ...wish, ports: [22], known, packets: 2 })!
  assert.deepEqual(of(addresses(3)).notes, [])
  const wide = of(addresses(100))
  assert.match(wide.pattern, /srcaddr != 198\.51\.100\.\*/)
  assert.match(wide.notes.join(), /198\.51\.100\.\* stand for 100 known addresses: others there pass unseen/)
  const scattered = of(Array.from({ length: 90 }, (_, i) => `${i + 1}.${i}.3.4`))
  assert(scattered.pattern.length <= patternLengthMax)
  assert.match(scattered.notes.join(), /would set it off: the pattern has room for \d+ known addresses only/)
})

test('many hosts are told by their networks', () => {
  const { pattern, notes } = rejectPattern({ ...wish, hosts: addresses(80, '10.0.7') })!
  assert.match(pattern, /dstaddr = 10\.0\.7\.\*/)
  assert.match(notes.join(), /10\.0\.7\.\* stand for 80 addresses: the pattern is wider than they/)
})

test('without packets in the format probes count, and without an action refused traffic does', () => {
  const bare = { fields: ['srcaddr', 'dstaddr', 'srcport', 'dstport', 'bytes'], hosts: ['10.0.0.5'], hasAction: false }
  const { pattern, notes } = administrationPattern({ ...bare, ports: [22], known: [], packets: 2 })!
  assert.equal(pattern, '[srcaddr, dstaddr = "10.0.0.5", srcport, dstport = 22, bytes]')
  assert.match(notes.join(), /no packets: probes of scanners count too/)
  assert.match(notes.join(), /no action: refused traffic counts too/)
})

test('an address of IPv6 stands in quotation marks', () => {
  const { pattern } = rejectPattern({ ...wish, hosts: [formatAddress(...halves('2001:db8::5'))] })!
  const line = event({ dstaddr: '2001:db8::5', action: 'REJECT' })
  assert.notEqual(extract(parsePattern(pattern), line), null)
})

function halves(text: string): [bigint, bigint] {
  const { hi, lo } = parseAddress(text)!
  return [hi, lo]
}
