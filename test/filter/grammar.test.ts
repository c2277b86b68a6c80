import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../../src/errors.ts'
import { compile } from '../../src/filter/compile.ts'
import { FilterError } from '../../src/filter/error.ts'
import { explain } from '../../src/filter/explain.ts'
import { type ParseOptions, parse } from '../../src/filter/filter.ts'
import { validateGrammar } from '../../src/filter/grammar.ts'
import { print } from '../../src/filter/print.ts'
import { things } from '../../src/filter/things.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import { visible } from '../../src/report/text.ts'
import { golden } from '../golden.ts'

let folder = ''
const columns = new Set(['custom_field', 'srcaddr', 'start', 'end'])
const options = (more: ParseOptions = {}): ParseOptions => ({ columns, folder, ...more })
const printed = (text: string, more: ParseOptions = {}): string => print(parse(text, options(more)).ast)

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-grammar-'))
  mkdirSync(join(folder, 'more'))
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  write('web.filter', '# the web\nport 80 or\nport 443 # and TLS\n')
  write('more/outer.filter', '@include inner.filter and proto tcp')
  write('more/inner.filter', 'src ip in @near.txt')
  write('more/near.txt', '192.0.2.1\r\n\r\n  2001:db8::/32  # all\n')
  write('loop.filter', '@include loop.filter')
  write('wrong.filter', 'port 80 or\n  prot tcp\n')
  write('empty.filter', '# nothing\n')
  write('bad.txt', '# addresses\n192.0.2.1\n192.0.2.300 # no\n')
  write('bad-ports.txt', '80\n99999\n')
  write('services.txt', 'ssh\nSSH\n')
})

after(() => rmSync(folder, { recursive: true }))

test('the grammar is valid, which the parser does not ask again at each start', () => validateGrammar())

test('prints a filter in one form', () => {
  const forms: [string, string][] = [
    ['', 'any'],
    ['  # only a comment\n', 'any'],
    ['SRC IP 10.0.0.1 AND DST PORT 22', 'src ip 10.0.0.1 and dst port 22'],
    ['src or dst port = 0x50', 'port 80'],
    ['host 2001:DB8:0::1', 'ip 2001:db8::1'],
    ['net 10.1/16 || net 10.2.3.4 255.255.0.0', 'net 10.1.0.0/16 or net 10.2.0.0/16'],
    ['port 1 or port 2 and port 3', 'port 1 or port 2 and port 3'],
    ['(port 1 or port 2) and port 3', '(port 1 or port 2) and port 3'],
    ['port 1 or (port 2 or port 3)', 'port 1 or (port 2 or port 3)'],
    ['not (not (port 1))', 'not not port 1'],
    ['!(port 1 && port 2)', 'not (port 1 and port 2)'],
    ['bytes > 1000000 and bps < 2500', 'bytes > 1m and bps < 2500'],
    ['duration >= 90000', 'duration >= 90s'],
    ['last 90m of case', 'last 90min of case'],
    ['flags = sa', 'flags only SA'],
    ['protocol 58 or proto 200', 'proto ipv6-icmp or proto 200'],
    ['custom_field "a \\"b\\""', 'custom_field = "a \\"b\\""'],
    ['pkt-srcaddr != 10.0.0.0/8', 'pkt_srcaddr != 10.0.0.0/8'],
    ['tcp_flags is not known', 'tcp_flags is unknown'],
    ["region in ['and', us-east-1]", 'region in ["and" us-east-1]'],
    ['between 2023-09-28 and "2023-09-28 17:22+02:00"', 'between 2023-09-28T00:00:00Z and 2023-09-28T15:22:00Z'],
    ['first seen 1700000000', 'first seen = 2023-11-14T22:13:20Z'],
  ]
  for (const [text, form] of forms) {
    assert.equal(printed(text), form)
    assert.equal(printed(form), form)
  }
})

test('a bare `not` binds closer than `and`, `and` closer than `or`', () => {
  assert.deepEqual(parse('not port 1 and port 2 or port 3').ast, parse('((not port 1) and port 2) or port 3').ast)
})

const wrong = [
  ...[
    'scr_addr = 10.0.0.0/8 and dst port 22',
    'scr ip 10.0.0.1',
    'ip 10.0.0.1 adn port 80',
    'ip 10.0.0.1 port 80',
    'prt 80',
    'port',
    'port 99999',
  ],
  ...[
    'port -1',
    'port 1.5',
    'port in [80',
    'port in []',
    'port in [80 htttp]',
    'proto tpc',
    'action accpet',
    'ip 10.0.0',
    'ip www.example.com',
  ],
  ...[
    'ip > 10.0.0.1',
    'ip 10.0.0.0/33',
    'net 10.0.0.0 255.0.255.0',
    'src proto tcp',
    'prev port 80',
    'in port 80',
    'src and dst port != 80',
  ],
  ...[
    'src and dst ip not in [10.0.0.1]',
    'flags SAZ',
    'flags > S',
    'flags SS',
    'bytes > 1.5k',
    'bytes > 1kx',
    'bytes > 18446744073709551616',
  ],
  ...[
    'duration > 5m',
    'duration > 5 min',
    'last 2 of case',
    'last 2h',
    'first foo',
    'first seen > yesterday',
    'first seen > 2023-02-30',
  ],
  ...[
    'between 2024-01-02 and 2024-01-01',
    'between 2024-01-02',
    'region > 5',
    'region contains',
    'port contains 5',
    'flags in [S]',
    'duration in [5]',
  ],
  ...[
    '(port 80',
    'port 80)',
    '()',
    'and',
    'not',
    'port 80 or',
    'port 80 and or port 90',
    'internal foo',
    'internal = yes',
    'geo CH',
    'payload content GET',
  ],
  ...[
    'port 80; drop table flows',
    "region = 'open",
    'tcp_flags is maybe',
    'any any',
    'port any 80',
    'ip in @missing.txt',
    'ip in @bad.txt',
  ],
  ...[
    'port in @bad-ports.txt',
    'action in @bad.txt',
    '@include missing',
    '@include loop.filter',
    '@include empty.filter',
    '@include wrong.filter',
  ],
  ...[
    'port 80 or\n  proto tcp and\n  tcp_flag = 2',
    `region = "${'long '.repeat(30)}" and prot tcp`,
    'region = "\u001b[31mred" and prt 80',
    `${'('.repeat(201)}any${')'.repeat(201)}`,
  ],
  ...[
    'role = clent',
    'service',
    'service sssh',
    'service = dns',
    'service 99999/tcp',
    'service in @services.txt',
    'icmp-type 300',
    'fe80::1%eth0',
    'ip fe80::1%eth0',
  ],
]

test('an error shows the place, what was expected and the nearest word', () => {
  const page = wrong.map(text => {
    try {
      parse(text, options())
    } catch (error) {
      assert.ok(error instanceof FilterError, `${text}: ${error}`)
      assert.equal(error.status, 2)
      const lines = [
        error.message,
        ...error.excerpt(visible),
        ...(error.hint === undefined ? [] : [`hint: ${error.hint}`]),
      ]
      return lines.map(line => visible(line).replaceAll(folder, 'FOLDER')).join('\n')
    }
    return assert.fail(`reads "${text}"`)
  })
  golden('filter-errors.golden.txt', `${page.join('\n\n')}\n`)
})

const explained = [
  ...[
    'any',
    'src ip 10.0.0.1 and dst port 22',
    'not port 80',
    'src and dst port > 1024',
    'not src and dst port 22',
    'ip in [10.0.0.0/8 192.0.2.1 2001:db8::/32]',
  ],
  ...[
    'port in [1 2 3 4 5 6 7 8 9 10]',
    'dst port not in [80 443]',
    'proto tcp and (flags SA or flags any FR or flags none AFRPU or flags only S)',
    'not flags S',
  ],
  ...[
    'bytes > 100m',
    'out packets <= 5',
    'duration > 5s and bps >= 1m and bpp < 100',
    'first seen >= 2023-09-28 and last seen < 2023-09-29T12:00',
  ],
  ...[
    'between 2023-09-28 and 2023-09-29',
    'not last 2h of case',
    'inet or not inet6',
    'src internal and dst external',
    'not internal',
    'action reject',
  ],
  ...[
    'sensor != eni-1',
    'region contains "east" and not subnet_id begins subnet-',
    'custom_field = x',
    'tcp_flags is unknown and bytes is known',
    'flowdir 1',
  ],
  ...[
    'icmp-type 8 and not icmp-code 0',
    'router ip 192.0.2.1 or next as 5 or in if 3 or vlan 7',
    'role client and service ssh',
    'address 192.0.2.1',
  ],
  ...[
    'not (port 80 and (proto tcp or proto udp))',
    'src ip in @more/near.txt',
    'packets_lost_no_route > 0',
    'duration < 500',
    '@include web.filter and inet',
  ],
]

test('a filter says in English what it means', () => {
  const page = explained.map(text => `${text}\n  ${explain(parse(text, options()))}`)
  const asNfdump = ['not flags AFRPU', 'flags SA'].map(
    text => `${text}\n  ${explain(parse(text, options({ nfdump: true })))}`,
  )
  golden('filter-explained.golden.txt', `${[...page, ...asNfdump].join('\n')}\n`)
})

test('reads a file as a whole filter, and files named in it beside it', () => {
  assert.equal(printed('@include web.filter and inet'), '(port 80 or port 443) and inet')
  assert.equal(printed('@include more/outer.filter'), 'src ip in file "near.txt" and proto tcp')
  assert.equal(printed('@include "web.filter"'), 'port 80 or port 443')
})

test('nfdump puts the text of a file in as it is', () => {
  assert.equal(printed('@include web.filter and inet', { nfdump: true }), 'port 80 or port 443 and inet')
})

test('a filter from elsewhere reads no file', () => {
  for (const text of ['@include web.filter', 'ip in @more/near.txt']) {
    assert.throws(() => parse(text, options({ files: false })), /files are not read here/)
  }
})

test('times without a zone are UTC, and local ones as nfdump', () => {
  const zone = process.env['TZ']
  process.env['TZ'] = 'America/New_York'
  try {
    assert.equal(printed('first seen > 2023-11-14T22:24:00'), 'first seen > 2023-11-14T22:24:00Z')
    assert.equal(printed('first seen > 2023-11-14T22:24:00', { nfdump: true }), 'first seen > 2023-11-15T03:24:00Z')
    assert.equal(printed('first seen > 2023-11-14T22:24:00Z', { nfdump: true }), 'first seen > 2023-11-14T22:24:00Z')
  } finally {
    process.env['TZ'] = zone
  }
})

test('warns where nfdump reads flags otherwise', () => {
  assert.match(parse('flags S and not flags AFRPU').notes.join(), /flags none AFRPU/)
  assert.deepEqual(parse('flags S and not flags AFRPU', { nfdump: true }).notes, [])
  assert.deepEqual(parse('not flags S or not not flags SA or not flags any SA').notes, [])
})

test('as nfdump, what a record lacks is 0; else it cannot be told', () => {
  const none = { columns: new Set<string>() }
  assert.deepEqual(compile(parse('vlan 0 or flags 2', { nfdump: true }), none).missing, [])
  assert.deepEqual([...compile(parse('vlan 0 or flags 2'), none).missing].sort(), [
    'dst_vlan',
    'protocol',
    'src_vlan',
    'tcp_flags',
  ])
  assert.match(compile(parse('role client'), none).notes.join(), /role of these records/)
})

test('a piece of a case without times is refused', () => {
  assert.throws(() => compile(parse('last 2h of case'), { columns }), UserError)
})

test('hundreds of alternatives are one list, and thousands of tests are refused', () => {
  const ports = Array.from({ length: 3000 }, (_, i) => `port ${i}`).join(' or ')
  const { sets, where } = compile(parse(ports), { columns: new Set(['srcport', 'dstport']) })
  assert.equal(sets[0]?.rows, 3000)
  assert.ok(duckdb.print(where).text.length < 500)
  const tests = Array.from({ length: 1001 }, (_, i) => `bytes > ${i}`).join(' or ')
  assert.throws(
    () => compile(parse(tests), { columns }),
    (error: unknown) => {
      assert.ok(error instanceof FilterError)
      assert.match(error.message, /exceeds 1000 tests/)
      assert.deepEqual([error.offset, error.length], [0, tests.length])
      return true
    },
  )
})

test('a long list is read in time', () => {
  const list = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1`).join(' ')
  const begun = performance.now()
  assert.equal(compile(parse(`ip in [${list}]`), { columns }).sets[0]?.rows, 20_000)
  assert.ok(performance.now() - begun < 10_000)
})

test('whatever is written is a filter or a FilterError', () => {
  const words = [
    ...things.flatMap(thing => thing.names),
    ...['src', 'dst', 'and', 'or', 'not', 'in', '[', ']', '(', ')', '=', '>', 'first', 'seen', 'of', 'case'],
  ]
  const word = fc.oneof(
    fc.constantFrom(...words, '80', '10.0.0.0/8', '"x y"', 'is', 'known', 'between', 'any', ','),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), parts => {
      const text = parts.join(' ')
      try {
        const once = print(parse(text, { columns, files: false }).ast)
        assert.equal(print(parse(once, { columns, files: false }).ast), once)
      } catch (error) {
        assert.ok(
          error instanceof FilterError,
          `${JSON.stringify(text)}: ${error instanceof Error ? error.stack : error}`,
        )
        assert.ok(error.offset >= 0 && error.offset <= text.length)
        error.excerpt(visible)
      }
    }),
    { numRuns: 2000 },
  )
})
