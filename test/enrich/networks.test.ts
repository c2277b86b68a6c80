import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { loadEnrichment } from '../../src/enrich/enrichment.ts'
import { filesFolder, halves } from './support.ts'

const files = filesFolder()
after(files.close)

const forms: [string, string][] = [
  [
    'nets.csv',
    '# ours\nprefix,name,internal,role\n10.0.0.0/8,office,yes,\n10.1.0.0/16,"lab, old",no,scanner administration\n198.51.100.7,nat,1,translator\n10.1.2.0/24,,,\n',
  ],
  [
    'nets.json',
    JSON.stringify([
      { prefix: '10.0.0.0/8', name: 'office', internal: true },
      { prefix: '10.1.0.0/16', name: 'lab, old', internal: false, role: ['scanner', 'administration'] },
      { prefix: '198.51.100.7', name: 'nat', internal: true, translator: true },
      { prefix: '10.1.2.0/24' },
    ]),
  ],
]
for (const [name, content] of forms) {
  test(`${name}: the smallest network with a name is that of an address, and roles hold within`, async () => {
    const e = await loadEnrichment({ networks: [files.path(name, content)] })
    assert.deepEqual(e.problems, [])
    assert.deepEqual(
      ['10.9.0.1', '10.1.2.3', '198.51.100.7', '192.0.2.1'].map(one => e.network(...halves(one))?.name ?? null),
      ['office', 'lab, old', 'nat', null],
    )
    assert.deepEqual(
      e.internal.map(({ text }) => text),
      ['10.0.0.0/8', '198.51.100.7'],
    )
    const roles = (text: string): boolean[] => {
      const at = halves(text)
      return [e.isInternal(...at), e.isScanner(...at), e.isAdministration(...at), e.isTranslator(...at)]
    }
    assert.deepEqual(roles('10.1.2.3'), [true, true, true, false])
    assert.deepEqual(roles('198.51.100.7'), [true, false, false, true])
    assert.deepEqual(roles('198.51.100.8'), [false, false, false, false])
  })
}

test('a row of networks that cannot be read is named by its line, and the others count', async () => {
  const path = files.path('bad.csv', 'prefix,role\n10.0.0.0/8,scaner\nten,\n192.0.2.0/24,scanner\n')
  const e = await loadEnrichment({ networks: [path] })
  assert.deepEqual(
    e.problems.map(({ line, problem }) => [line, problem]),
    [
      [2, 'unknown role: scaner (it is scanner, administration, translator)'],
      [3, 'not a prefix: ten'],
    ],
  )
  assert.equal(e.isScanner(...halves('192.0.2.1')), true)
})

for (const [content, message] of [
  ['name\noffice\n', 'no column prefix'],
  ['prefix,names\n10.0.0.0/8,office\n', 'unknown column: names'],
  ['{"a": 1}', 'not a list of networks'],
] as const) {
  test(`networks with ${JSON.stringify(content)} are refused: ${message}`, async () => {
    const path = files.path('refused.csv', content)
    await assert.rejects(loadEnrichment({ networks: [path] }), { message: `--networks ${path}: ${message}` })
  })
}

test('of AWS’s ranges the longest prefix wins, and AMAZON counts where there is no other', async () => {
  const ranges = {
    syncToken: '1',
    createDate: '2023-09-27-17-33-08',
    prefixes: [
      ['198.51.100.0/22', 'AMAZON', 'eu-west-1'],
      ['198.51.100.0/24', 'AMAZON', 'us-east-1'],
      ['198.51.100.0/24', 'EC2', 'us-east-1'],
      ['198.51.100.0/24', 'S3', 'us-east-1'],
      ['198.51.100.128/25', 'EC2', 'us-west-2'],
      ['198.51.100.192/26', 'AMAZON', 'us-west-2'],
    ].map(([ip_prefix, service, region]) => ({ ip_prefix, service, region, network_border_group: region })),
    ipv6_prefixes: [{ ipv6_prefix: '2001:db8::/32', service: 'CLOUDFRONT', region: 'GLOBAL' }, { ipv6_prefix: 7 }],
  }
  const e = await loadEnrichment({ awsRanges: files.path('ip-ranges.json', JSON.stringify(ranges)) })
  const service = (text: string): string | null => {
    const found = e.awsService(...halves(text))
    return found === null ? null : `${found.service} ${found.region} ${found.prefix}`
  }
  assert.deepEqual(
    ['198.51.101.1', '198.51.100.1', '198.51.100.129', '198.51.100.200', '2001:db8::1', '192.0.2.1'].map(service),
    [
      'AMAZON eu-west-1 198.51.100.0/22',
      'S3 us-east-1 198.51.100.0/24',
      'EC2 us-west-2 198.51.100.128/25',
      'EC2 us-west-2 198.51.100.128/25',
      'CLOUDFRONT GLOBAL 2001:db8::/32',
      null,
    ],
  )
  assert.equal(e.files[0]!.dated, '2023-09-27T17:33:08Z')
  assert.deepEqual(
    e.problems.map(({ problem }) => problem),
    ['IPv6 prefix 2: ipv6_prefix: not a text'],
  )
})

test('a network of JSON that cannot be read is named by its number', async () => {
  const content = JSON.stringify([
    { prefix: '10.0.0.0/8' },
    { prefix: 'here' },
    { prefix: '10.1.0.0/16', role: 'boss' },
  ])
  const { problems } = await loadEnrichment({ networks: [files.path('odd.json', content)] })
  assert.deepEqual(
    problems.map(({ problem }) => problem),
    ['network 2: not a prefix: here', 'network 3: unknown role: boss (it is scanner, administration, translator)'],
  )
})
