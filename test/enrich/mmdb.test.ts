import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { loadEnrichment } from '../../src/enrich/enrichment.ts'
import { UserError } from '../../src/errors.ts'
import { control, mmdb } from './mmdb-writer.ts'
import { filesFolder, halves } from './support.ts'

const files = filesFolder()
after(files.close)

const countries = [
  ['198.51.100.0/24', { country: { iso_code: 'NL', names: { en: 'Netherlands' } }, continent: { code: 'EU' } }],
  ['203.0.113.0/25', { country: { iso_code: 'us' } }],
  ['203.0.113.128/25', { registered_country: { iso_code: 'US' } }],
  ['2001:db8::/32', { country: { iso_code: 'JP' } }],
] as const
const systems = [
  ['198.51.100.0/24', { autonomous_system_number: 64_500, autonomous_system_organization: 'Example' }],
  ['203.0.113.0/24', { autonomous_system_number: 4_200_000_000 }],
] as const

for (const size of [24, 28, 32] as const) {
  test(`reads countries and autonomous systems of records of ${size} bits`, async () => {
    const geoip = files.path(`country-${size}.mmdb`, mmdb(countries, { size, type: 'Country' }))
    const asn = files.path(`asn-${size}.mmdb`, mmdb(systems, { size, type: 'ASN' }))
    const e = await loadEnrichment({ geoip, asn })
    const country = (text: string): string | null => e.country(...halves(text))
    assert.deepEqual(
      ['198.51.100.9', '203.0.113.1', '203.0.113.200', '192.0.2.1', '2001:db8::7', '2001:db9::'].map(country),
      ['NL', 'US', null, null, 'JP', null],
    )
    assert.deepEqual(e.asn(...halves('198.51.100.1')), { number: 64_500, org: 'Example' })
    assert.deepEqual(e.asn(...halves('203.0.113.255')), { number: 4_200_000_000, org: null })
    assert.equal(e.asn(...halves('2001:db8::7')), null)
    assert.deepEqual(
      e.files.map(({ kind, dated }) => [kind, dated]),
      [
        ['geoip', '2023-09-28T00:00:00Z'],
        ['asn', '2023-09-28T00:00:00Z'],
      ],
    )
  })
}

test('reads the names that IPinfo has, and a tree of IPv4 alone', async () => {
  const path = files.path(
    'ipinfo.mmdb',
    mmdb([['198.51.100.0/24', { country: 'Netherlands', country_code: 'NL', asn: 'AS64500', as_name: 'Example' }]], {
      ipVersion: 4,
    }),
  )
  const e = await loadEnrichment({ geoip: path, asn: path })
  assert.equal(e.country(...halves('198.51.100.1')), 'NL')
  assert.deepEqual(e.asn(...halves('198.51.100.1')), { number: 64_500, org: 'Example' })
  assert.equal(e.country(...halves('2001:db8::1')), null)
})

test('a database that says nothing of what it is given for is refused', async () => {
  const path = files.path('other.mmdb', mmdb(countries, { type: 'GeoLite2-Country' }))
  await assert.rejects(loadEnrichment({ asn: path }), {
    message: `--asn ${path}: says nothing of autonomous systems`,
    hint: 'it is a database of type GeoLite2-Country',
  })
})

const refused: [name: string, content: Buffer | string, message: RegExp][] = [
  ['empty.mmdb', '', /: not an MMDB$/],
  ['text.mmdb', 'no database', /: not an MMDB$/],
  ['marker.mmdb', Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), /: damaged MMDB$/],
  ['map.mmdb', Buffer.from('\xab\xcd\xefMaxMind.com\xff\xff\xff\xff\xff', 'latin1'), /: damaged MMDB$/],
  ['nodes.mmdb', mmdb(countries).subarray(100), /: damaged MMDB$/],
]
for (const [name, content, message] of refused) {
  test(`refuses ${name} with its name`, async () => {
    const path = files.path(name, content)
    await assert.rejects(
      loadEnrichment({ geoip: path }),
      error => error instanceof UserError && message.test(error.message),
    )
  })
}

test('a value that claims to be huge, or is itself within itself, is refused at once', async () => {
  const metadata = mmdb(countries).subarray(-300)
  const huge = Buffer.concat([control(11, 60_000), control(11, 60_000), control(11, 60_000)])
  const loop = Buffer.from([0x20, 0x00])
  const deep = Buffer.concat([...Array.from({ length: 2000 }, () => control(11, 1)), control(2, 0)])
  for (const value of [huge, loop, deep]) {
    const whole = mmdb([['0.0.0.0/1', 'x']])
    const at = whole.indexOf(Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'))
    const bytes = Buffer.concat([whole.subarray(0, at - 2), value, whole.subarray(at)])
    const path = files.path('hostile.mmdb', bytes)
    await assert.rejects(loadEnrichment({ geoip: path }), /: damaged MMDB$/)
  }
  assert(metadata.length > 0)
})

test('whatever byte of a database is changed, it is read or refused: no crash', async () => {
  const whole = mmdb(countries)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), async (at, byte, length) => {
      const bytes = Buffer.from(whole)
      bytes[at] = byte
      for (const content of [bytes, whole.subarray(0, length)]) {
        const path = files.path('changed.mmdb', content)
        try {
          const e = await loadEnrichment({ geoip: path })
          e.country(...halves('198.51.100.1'))
        } catch (error) {
          if (!(error instanceof UserError)) throw error
        }
      }
    }),
  )
})
