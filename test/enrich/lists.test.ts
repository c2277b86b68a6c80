import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { loadEnrichment } from '../../src/enrich/enrichment.ts'
import { UserError } from '../../src/errors.ts'
import { microsecondsOf } from '../../src/net/time.ts'
import { filesFolder, halves } from './support.ts'

const files = filesFolder()
after(files.close)

const at = (text: string): number => microsecondsOf(text)
const noon = at('2023-09-28T12:00:00Z')

/** A list with that content, loaded. */
async function loaded(name: string, content: string | Buffer) {
  const enrichment = await loadEnrichment({ lists: [files.path(name, content)] })
  const match = (address: string, from_us = noon, to_us = from_us) =>
    enrichment.listsOf(...halves(address), from_us, to_us)[0] ?? null
  /** The line whose entry holds the address; 0 for an entry without one. */
  const line = (address: string, from_us = noon, to_us = from_us): number | null => {
    const found = match(address, from_us, to_us)
    return found === null ? null : (found.line ?? 0)
  }
  const problems = enrichment.problems.map(one => [one.line ?? null, one.problem])
  return { match, line, file: enrichment.files[0]!, problems }
}

test('reads addresses, prefixes and ranges of a plain list, and tells the line of each', async () => {
  const { line, match, file, problems } = await loaded(
    'bad.txt',
    '\ufeff# Last updated: 2023-09-27 05:30:00 UTC\r\n203.0.113.7\r\n198.51.100.0/24 ; SBL1\n2001:db8::/32\n192.0.2.10 - 192.0.2.20\n\n198.51.100.9\n',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual([file.entries, file.dated, file.from, file.to], [5, '2023-09-27T05:30:00Z', null, null])
  assert.deepEqual(
    ['203.0.113.7', '198.51.100.1', '198.51.100.9', '2001:db8::1', '192.0.2.10', '192.0.2.20'].map(one => line(one)),
    [2, 3, 7, 4, 5, 5],
  )
  const others = ['203.0.113.8', '192.0.2.9', '192.0.2.21', '2001:db9::']
  assert.deepEqual(
    others.map(one => line(one)),
    [null, null, null, null],
  )
  const found = match('198.51.100.1')!
  assert.deepEqual([found.list, found.entry, found.note], ['bad', '198.51.100.0/24', 'SBL1'])
})

const defanged = [
  '203.0.113[.]7',
  '203[.]0[.]113[.]7',
  '203(.)0.113(.)7',
  'hxxp://203.0.113.7/gate.php',
  'hxxps://203[.]0[.]113[.]7:8443/x?y=1.2.3.4',
  '203.0.113.7:443',
  '203[dot]0[dot]113[dot]7',
  '203.0.113.7  # seen twice',
  '203.0.113.7 some words about it',
  '"203.0.113.7","x"',
]
for (const text of defanged)
  test(`reads ${text}`, async () => {
    const { line, problems } = await loaded('one.txt', `${text}\n`)
    assert.deepEqual([line('203.0.113.7'), line('203.0.113.8'), problems], [1, null, []])
  })

test('a line that is no address is named, and nothing else is lost', async () => {
  const { line, problems, file } = await loaded(
    'mixed.txt',
    Buffer.concat([
      Buffer.from(
        '203.0.113.7\nevil.example\n1.2.3\n203.0.113.300\n010.0.0.1\n203.0.113.0/33\n192.0.2.9 - 192.0.2.1\n',
      ),
      Buffer.from([0xff, 0xfe, 0x00, 10]),
      Buffer.from('192.0.2.7'),
    ]),
  )
  assert.deepEqual(
    problems.map(([number]) => number),
    [2, 3, 4, 5, 6, 7, 8],
  )
  assert.equal(problems[0]![1], 'not an address, a network or a range: evil.example')
  assert.deepEqual([line('203.0.113.7'), line('192.0.2.7'), file.entries], [1, 9, 2])
})

test('of very many bad lines the first are named, and the others counted', async () => {
  const { problems } = await loaded('hosts.txt', 'evil.example\n'.repeat(5000))
  assert.equal(problems.length, 1001)
  assert.deepEqual(problems.at(-1), [null, '4000 more that could not be read'])
})

test('finds the column of addresses by its name or by what is in it, and heeds its times', async () => {
  const day =
    'ip,first_seen,last_seen,malware\n203.0.113.7,2023-09-28,2023-09-28,Emotet\n192.0.2.0/24,,2023-09-27T10:00:00Z,\n'
  const { match, line, file } = await loaded('feodo.csv', day)
  assert.equal(match('203.0.113.7')!.note, 'Emotet')
  const edges = ['2023-09-27T23:59:59Z', '2023-09-28T00:00:00Z', '2023-09-28T23:59:59Z', '2023-09-29T00:00:00Z']
  assert.deepEqual(
    edges.map(time => line('203.0.113.7', at(time))),
    [null, 2, 2, null],
  )
  assert.deepEqual(
    ['2023-09-27T10:00:00Z', '2023-09-27T10:00:01Z'].map(time => line('192.0.2.1', at(time))),
    [3, null],
  )
  assert.equal(line('203.0.113.7', at('2023-09-27T23:00:00Z'), at('2023-09-28T00:00:00Z')), 2)
  assert.deepEqual([file.from, file.to], [null, '2023-09-29T00:00:00Z'])

  const commented = '# Feodo\n# "first_seen_utc","dst_ip","dst_port"\n"2023-09-28 13:00:00","203.0.113.7","443"\n'
  const feodo = await loaded('commented.csv', commented)
  assert.deepEqual([feodo.line('203.0.113.7'), feodo.line('203.0.113.7', at('2023-09-28T13:00:00Z'))], [null, 3])

  const bare = await loaded('bare.tsv', '203.0.113.7\t5\n192.0.2.7\t9\n')
  assert.deepEqual([bare.line('192.0.2.7'), bare.problems], [2, []])

  const range = await loaded('ranges.csv', 'start,end,attacks\n192.0.2.4,192.0.2.9,7\n')
  assert.deepEqual(
    ['192.0.2.3', '192.0.2.4', '192.0.2.9', '192.0.2.10'].map(one => range.line(one)),
    [null, 2, 2, null],
  )
})

test('what expires at a time is not valid at that time', async () => {
  const { line } = await loaded(
    'expires.csv',
    'ip,valid_from,valid_until\n203.0.113.7,2023-09-28T10:00:00Z,2023-09-28T11:00:00Z\n',
  )
  assert.deepEqual(
    ['2023-09-28T09:59:59Z', '2023-09-28T10:00:00Z', '2023-09-28T10:59:59Z', '2023-09-28T11:00:00Z'].map(time =>
      line('203.0.113.7', at(time)),
    ),
    [null, 2, 2, null],
  )
})

test('an entry whose time cannot be read does not count, and is named', async () => {
  const { problems, file } = await loaded(
    'times.csv',
    'ip,valid_from,valid_until\n203.0.113.7,soon,\n192.0.2.7,2023-09-29,2023-09-28\n192.0.2.8,,never\n',
  )
  assert.deepEqual(problems, [
    [2, 'not a time: soon'],
    [3, 'it ends before it begins: 2023-09-29 to 2023-09-28'],
  ])
  assert.equal(file.entries, 1)
})

test('a table with two columns of addresses and no name for one is refused', async () => {
  const path = files.path('two.csv', '203.0.113.7,192.0.2.7\n')
  await assert.rejects(loadEnrichment({ lists: [path] }), {
    message: `--list ${path}: several columns of addresses: 1, 2`,
    hint: 'name the one that counts in a first line: ip',
  })
})

const indicator = (id: string, pattern: string, more = {}) => ({
  ...{ type: 'indicator', spec_version: '2.1', id: `indicator--${id}`, pattern, pattern_type: 'stix' },
  ...{ valid_from: '2023-09-28T10:00:00Z', modified: '2023-09-27T00:00:00.000Z', name: 'C2', ...more },
})

test('reads the indicators of a STIX bundle that name addresses and nothing else', async () => {
  const bundle = {
    type: 'bundle',
    id: 'bundle--1',
    objects: [
      indicator('a', "[ipv4-addr:value = '203.0.113.7']", { valid_until: '2023-09-28T13:00:00Z' }),
      indicator('b', "[ipv6-addr:value = '2001:db8::/32' OR ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]"),
      indicator('c', "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
      indicator('d', "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.9/32']"),
      indicator('e', "[ipv4-addr:value = '192.0.2.50' AND network-traffic:dst_port = 443]"),
      indicator('f', "[ipv4-addr:value = '192.0.2.51'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.52']"),
      indicator('g', "[ipv4-addr:value != '192.0.2.53']"),
      indicator('h', "[ipv4-addr:value = '192.0.2.54']", { revoked: true }),
      indicator('i', "[domain-name:value = 'evil.example']"),
      indicator('j', "[ipv4-addr:value = '192.0.2.999']"),
      indicator('k', "[NOT ipv4-addr:value = '192.0.2.55']"),
      { type: 'identity', id: 'identity--1' },
      { type: 'indicator', id: 7 },
    ],
  }
  const { match, file, problems } = await loaded('bundle.json', JSON.stringify(bundle))
  const object = (address: string, time = noon) => match(address, time)?.object?.replace('indicator--', '') ?? null
  assert.deepEqual(
    [
      '203.0.113.7',
      '2001:db8::1',
      '192.0.2.2',
      '198.51.100.7',
      '192.0.2.9',
      '192.0.2.50',
      '192.0.2.51',
      '192.0.2.53',
    ].map(one => object(one)),
    ['a', 'b', 'b', 'c', 'd', null, null, null],
  )
  assert.deepEqual(
    ['2023-09-28T09:59:59Z', '2023-09-28T10:00:00Z', '2023-09-28T13:00:00Z'].map(time =>
      object('203.0.113.7', at(time)),
    ),
    [null, 'a', null],
  )
  assert.equal(match('203.0.113.7')!.note, 'C2')
  assert.deepEqual(file.left_out, { revoked: 1, 'no address': 1, 'no indicator': 1 })
  assert.deepEqual([file.entries, file.dated, file.from], [6, '2023-09-27T00:00:00Z', '2023-09-28T10:00:00Z'])
  assert.deepEqual(
    problems.map(([, problem]) => String(problem).split(': ').slice(0, 2).join(': ')),
    [
      'indicator--e: more than addresses',
      'indicator--f: more than addresses',
      'indicator--g: more than addresses',
      'indicator--j: not an address',
      'indicator--k: more than addresses',
      'object 13 of the bundle: id',
    ],
  )
})

test('reads the attributes of a MISP event that are addresses and meant for detection', async () => {
  const attribute = (uuid: string, type: string, value: string, more = {}) => ({
    uuid,
    type,
    value,
    to_ids: true,
    ...more,
  })
  const event = {
    Event: {
      info: 'x',
      Attribute: [
        attribute('a', 'ip-dst', '203.0.113.7', {
          first_seen: '2023-09-28T10:00:00.000000+00:00',
          timestamp: '1695772800',
        }),
        attribute('b', 'ip-dst|port', '192.0.2.1|443', {
          last_seen: '2023-09-28T11:00:00Z',
          to_ids: '1',
          comment: 'C2',
        }),
        attribute('c', 'ip-src', '2001:db8::1', { to_ids: false }),
        attribute('d', 'ip-src', '2001:db8::2', { deleted: true }),
        attribute('e', 'domain', 'evil.example'),
        attribute('f', 'ip-src', 'nowhere'),
        { type: 'ip-src' },
      ],
      Object: [
        { first_seen: '2023-09-28T11:00:00Z', Attribute: [attribute('g', 'ip-src', '192.0.2.9')] },
        { deleted: true },
      ],
    },
  }
  for (const json of [event, [event], { response: [event] }]) {
    const { match, file, problems } = await loaded('misp.json', JSON.stringify(json))
    const object = (address: string, time: string) => match(address, at(time))?.object ?? null
    assert.deepEqual(
      ['2023-09-28T09:59:59Z', '2023-09-28T10:00:00Z'].map(time => object('203.0.113.7', time)),
      [null, 'a'],
    )
    assert.deepEqual(
      ['2023-09-28T11:00:00Z', '2023-09-28T11:00:01Z'].map(time => object('192.0.2.1', time)),
      ['b', null],
    )
    assert.deepEqual(
      ['2023-09-28T10:00:00Z', '2023-09-28T11:00:00Z'].map(time => object('192.0.2.9', time)),
      [null, 'g'],
    )
    assert.equal(match('192.0.2.1', at('2023-09-28T11:00:00Z'))!.note, 'C2')
    assert.deepEqual(file.left_out, { 'not for detection': 1, deleted: 2, 'no address': 1 })
    assert.equal(file.dated, '2023-09-27T00:00:00Z')
    assert.deepEqual(
      problems.map(([, problem]) => problem),
      ['f: not an address: nowhere', 'attribute 7: value: not a text'],
    )
  }
})

test('reads a JSON array of addresses', async () => {
  const { match, problems } = await loaded('array.json', '["203.0.113.7", "192.0.2.0/24", "evil.example"]')
  assert.equal(match('192.0.2.200')!.object, 'element 2')
  assert.deepEqual(problems, [[null, 'element 3: not an address, a network or a range: evil.example']])
})

const refused: [name: string, content: string | Buffer, message: string][] = [
  ['cut.json', '{"type": "bundle", "objects": [', 'not JSON'],
  ['deep.json', `{"a": ${'['.repeat(200_000)}`, 'not JSON'],
  ['bytes.json', Buffer.from('{"a": "\xff"}', 'latin1'), 'not UTF-8'],
  ['other.json', '{"a": 1}', 'JSON of an unknown kind'],
  ['aws.json', '{"syncToken": "1", "prefixes": []}', 'JSON of an unknown kind'],
  ['wide.txt', Buffer.from('\ufeff203.0.113.7', 'utf16le'), 'UTF-16'],
  ['packed.txt.gz', Buffer.from([0x1f, 0x8b, 8, 0]), 'compressed'],
]
for (const [name, content, message] of refused) {
  test(`refuses ${name}: ${message}`, async () => {
    const path = files.path(name, content)
    await assert.rejects(loadEnrichment({ lists: [path] }), { message: `--list ${path}: ${message}` })
  })
}

test('a file that is not there, or is no file, is named', async () => {
  await assert.rejects(loadEnrichment({ lists: [`${files.root}/gone.txt`] }), {
    message: `--list ${files.root}/gone.txt: no such file`,
  })
  await assert.rejects(loadEnrichment({ lists: [files.root] }), {
    message: `--list ${files.root}: a folder, not a regular file`,
  })
})

test('whatever is in a list, it is read or refused with its name', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '203.0.113.7',
      '/24',
      ',',
      ';',
      '#',
      '"',
      '\n',
      '{',
      '[',
      ']',
      '-',
      '2001:db8::',
      '\r',
      '\0',
      'ip,valid_from\n',
    ),
    fc.string({ maxLength: 4 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async pieces => {
      try {
        await loaded('any.txt', pieces.join(''))
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        assert(error.message.includes('any.txt'))
      }
    }),
  )
})

test('every line of a plain list is an entry, a comment, blank, or named', async () => {
  const line = fc.constantFrom(
    '203.0.113.7',
    '192.0.2.0/24',
    '# x',
    '',
    'evil.example',
    '1.2.3.4 - 1.2.3.9',
    '::1',
    '1.2.3',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), async lines => {
      const { file, problems } = await loaded('lines.txt', lines.join('\n'))
      const silent = lines.filter(one => one === '' || one === '# x').length
      assert.equal(file.entries + problems.length + silent, lines.length)
    }),
  )
})
