// A header that is damaged never leads to values under the names of others: a record is as in the sound file, or it is named.
// TIDEMARK_MUTATIONS sets how many random damages there are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordBuffer } from '../../src/records/record-buffer.ts'
import { headerOf, layoutOfHeader } from '../../src/vpc-text/header.ts'
import { layoutOfFormat, namedFormats } from '../../src/vpc-text/layout.ts'
import { TextReader } from '../../src/vpc-text/text-reader.ts'
import { recordsByLine } from '../robustness/figures.ts'
import { type Chance, chanceFrom, defaultHeader, logOf, recordLine, setting } from '../robustness/support.ts'

const inputs = setting('MUTATIONS', 300)
const seed = setting('MUTATION_SEED', 2402)
const swappedHeader =
  'version account-id interface-id dstaddr srcaddr dstport srcport protocol bytes packets start end action log-status'

/** A record in the order of `swappedHeader`. */
function swappedLine(i: number): string {
  const words = recordLine(i).split(' ')
  const at = defaultHeader.split(' ')
  return swappedHeader
    .split(' ')
    .map(name => words[at.indexOf(name)]!)
    .join(' ')
}

interface Read {
  /** By line: the values by name, without those that are unknown. */
  records: Map<number, Record<string, string>>
  problems: Map<number, string>
  reader: TextReader
}

function read(bytes: Uint8Array, layout = null as ReturnType<typeof layoutOfFormat> | null): Read {
  const buffer = new RecordBuffer(400)
  const reader = new TextReader(buffer, { file: 1, layout, stamped: false })
  assert.equal(reader.read(bytes), bytes.length)
  reader.end(false)
  const records = recordsByLine(buffer)
  const { lines, header_lines, records: read, no_data, skip_data, malformed } = reader.counts
  assert.equal(header_lines + read + no_data + skip_data + malformed, lines)
  assert.equal(reader.problems.length, malformed)
  return { records, problems: new Map(reader.problems.map(one => [one.line, one.problem])), reader }
}

const before = 3
const after = 3
const lines = {
  before: Array.from({ length: before }, (_, i) => recordLine(i)),
  after: Array.from({ length: after }, (_, i) => swappedLine(before + i)),
  sound: Array.from({ length: 2 }, (_, i) => recordLine(before + after + i)),
}

function fileWith(second: string | Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`${[defaultHeader, ...lines.before].join('\n')}\n`),
    typeof second === 'string' ? Buffer.from(second) : second,
    Buffer.from(`\n${[...lines.after, defaultHeader, ...lines.sound].join('\n')}\n`),
  ])
}

/** What each record says, by the text of its line. */
const truth = new Map<string, Record<string, string>>()
{
  const bytes = fileWith(swappedHeader)
  const texts = Buffer.from(bytes).toString().split('\n')
  for (const [line, record] of read(bytes).records) truth.set(texts[line - 1]!, record)
}

/** Fails where a record says something else than in the sound file. */
function assertBelievable(bytes: Uint8Array, what: string): Read {
  const reading = read(bytes)
  const texts = Buffer.from(bytes).toString('latin1').split('\n')
  for (const [line, record] of reading.records) {
    const wanted = truth.get(texts[line - 1]!)
    assert.ok(wanted, `${what}: line ${line} is no record`)
    assert.deepEqual(record, wanted, `${what}: line ${line}`)
  }
  return reading
}

test('--format suggests the nearest name, and takes one that no field has only where asked to', () => {
  const list = defaultHeader.replace('srcaddr', 'srcadr')
  assert.throws(() => layoutOfFormat(list), {
    message: 'not a field of flow logs: srcadr',
    hint: /^did you mean srcaddr\?.*--format-unknown/,
  })
  assert.deepEqual(layoutOfFormat(list, { unknown: true }).fields, list.split(' '))
  assert.throws(() => layoutOfFormat('defualt'), { hint: /^did you mean default\?/ })
})

test('the sound file has all its records', () => {
  assert.equal(truth.size, before + after + 2)
  assert.equal(truth.get(lines.after[0]!)?.['srcport'], String(1024 + before))
})

test('a second header with any one bit changed: what follows is as in the sound file, or a named problem until the next one', () => {
  const sound = Buffer.from(swappedHeader)
  const start = Buffer.from(`${[defaultHeader, ...lines.before].join('\n')}\n`).length
  // The ends of the lines before and in it too.
  for (let bit = -8; bit < (sound.length + 1) * 8; bit++) {
    const bytes = fileWith(swappedHeader)
    bytes[start + (bit >> 3)]! ^= 1 << (bit & 7)
    const { records, problems } = assertBelievable(bytes, `bit ${bit}`)
    const texts = Buffer.from(bytes).toString('latin1').split('\n')
    for (const text of lines.sound)
      assert.ok(records.has(texts.indexOf(text) + 1), `bit ${bit}: read again after a header`)
    for (const [line, problem] of problems)
      assert.match(
        problem,
        /^(a header that cannot be read: |follows a header that cannot be read \(line \d+\)$)/,
        `${line}`,
      )
  }
})

test('every header of AWS with any one bit changed is read as it was, or not at all', () => {
  for (const format of namedFormats.keys()) {
    const text = layoutOfFormat(format).fields.join(' ')
    const { fields } = layoutOfHeader(text)!
    for (let bit = 0; bit < text.length * 8; bit++) {
      const bytes = Buffer.from(text)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const header = headerOf(bytes.toString('latin1'))
      assert.notEqual(header, null, `${bytes}`)
      if (header !== 'damaged') assert.deepEqual(header!.fields, fields, `${bytes}`)
    }
  }
})

const harmless: [what: string, header: string][] = [
  ['capitals', swappedHeader.toUpperCase()],
  ['a capital', swappedHeader.replace('version', 'Version')],
  ['a tab', swappedHeader.replace(' ', '\t')],
  ['several blanks', swappedHeader.replaceAll(' ', '  ')],
  ['a blank at the end', `${swappedHeader} `],
  ['a blank before it', ` ${swappedHeader}`],
  ['CR', `${swappedHeader}\r`],
]
for (const [what, header] of harmless)
  test(`a header with ${what} is read as the header that it is`, () => {
    const { records, problems } = assertBelievable(fileWith(header), what)
    assert.deepEqual([records.size, problems.size], [truth.size, 0])
  })

const harmful: [what: string, header: string, problem: RegExp][] = [
  ['a field twice', swappedHeader.replace('dstaddr', 'dstaddr dstaddr'), /it names "dstaddr" twice/],
  ['a letter that is another', swappedHeader.replace('dstaddr', 'dstadds'), /no field is called "dstadds"/],
  ['a field cut short', swappedHeader.replace('interface-id', 'interfa'), /no field is called "interfa"/],
  ['a blank that is lost', swappedHeader.replace('dstaddr srcaddr', 'dstaddrsrcaddr'), /no field is called/],
  ['a record in front of it', `2 1 eni-1 10.0.0.1 203${swappedHeader}`, /a header that cannot be read/],
  ['its first half', swappedHeader.slice(0, 60), /follows|a header/],
  ['one word', 'log-status', /fewer than 4/],
  ['a piece of a word', 'ce-id', /a header that cannot be read/],
  [
    '256 fields more',
    `${swappedHeader} ${Array.from({ length: 256 }, (_, i) => `u${i}`).join(' ')}`,
    /more than 256 fields/,
  ],
  ['a name of 20,000 letters', `${swappedHeader} ${'n'.repeat(20_000)}`, /it is too long/],
]
for (const [what, header, problem] of harmful)
  test(`after a header with ${what} nothing is read until a sound one comes`, () => {
    const { records, problems } = assertBelievable(fileWith(header), what)
    const line = before + 2
    assert.match(problems.get(line)!, problem)
    if (what === 'its first half') return
    assert.equal(records.size, before + 2)
    for (let i = 1; i <= after; i++)
      assert.equal(problems.get(line + i), `follows a header that cannot be read (line ${line})`)
  })

test('records that are malformed, whatever word of theirs, are no header', () => {
  const chance = chanceFrom(seed)
  const odd = [
    '',
    '-',
    'x',
    'eni-1',
    '10.0.0.256',
    'ACCEPTED',
    'OKAY',
    '\u0000',
    'é',
    '#',
    'vpc-0a',
    'subnet-12',
    'region',
  ]
  for (let i = 0; i < inputs; i++) {
    const words = recordLine(i).split(' ')
    for (let changes = chance.int(1, 3); changes > 0; changes--) {
      const at = chance.int(0, words.length - 1)
      if (chance.maybe(0.3)) words.splice(at, 1)
      else words[at] = chance.pick(odd)
    }
    if (words.filter(word => word === 'region').length > 1) continue
    const line = words.join(' ').slice(0, chance.maybe(0.3) ? chance.int(1, 90) : undefined)
    assert.equal(headerOf(line), null, line)
  }
  for (const line of ['x', 'hello', 'rubbish', '# a remark', 'odd', '{"a": 1}', '-', 'REJECT OK', 'eni-0 2 3'])
    assert.equal(headerOf(line), null, line)
})

/** One damage to a header, other than a bit. */
function damaged(header: string, chance: Chance): string {
  const at = chance.int(0, header.length - 1)
  const to = chance.int(at, Math.min(header.length, at + chance.pick([2, 10, 40])))
  switch (chance.int(0, 4)) {
    case 0:
      return header.slice(0, at) + header.slice(to)
    case 1:
      return header.slice(0, to) + header.slice(at)
    case 2:
      return header.slice(0, at) + header.slice(at, to).toUpperCase() + header.slice(to)
    case 3:
      return `${recordLine(at).slice(0, chance.int(0, 90))}${header}`
    default:
      return header.slice(0, at)
  }
}

test('a second header, cut, doubled or run into: no value stands under the name of another', () => {
  const chance = chanceFrom(seed)
  for (let i = 0; i < inputs; i++) {
    const header = damaged(swappedHeader, chance)
    // Of two letters nobody can tell that they were a header.
    if (header.length < 3) continue
    const bytes = fileWith(header)
    const { records } = read(bytes)
    const texts = Buffer.from(bytes).toString().split('\n')
    for (const [line, record] of records) {
      const wanted = truth.get(texts[line - 1]!)
      assert.ok(wanted, header)
      for (const [name, value] of Object.entries(record))
        if (name in truth.get(lines.after[0]!)!) assert.equal(value, wanted[name], `${header}: line ${line}, ${name}`)
    }
  }
})

test('a first line that is a damaged header is passed over where the user has named the fields', () => {
  const text = logOf(3).replace('srcaddr', 'srcadds')
  const { records, problems } = read(Buffer.from(text), layoutOfFormat('default'))
  assert.deepEqual([records.size, [...problems.keys()]], [3, [1]])
})

test('new fields of AWS are fields, damaged known ones are not', () => {
  const added = (name: string): unknown => layoutOfHeader(`${defaultHeader} ${name}`)?.fields.at(-1) ?? null
  for (const name of ['flow-log-id', 'src-country', 'constructor', 'path', 'service', 'p1', 'subnet-name'])
    assert.equal(added(name), name)
  for (const name of ['vpc-ie', 'subnetid', 'regio', 'instance-tag-3', 'pkt-srcaddrsrcaddr'])
    assert.equal(added(name), null, name)
  assert.ok(layoutOfHeader(`${defaultHeader} instance-tag-2 instance-tag-3`))
})
