// What WebAssembly reads of a flow log is what the careful reader would have read. TIDEMARK_MUTATIONS sets how many inputs there are.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { formatAddress } from '../../src/net/address.ts'
import { RecordBuffer } from '../../src/records/record-buffer.ts'
import { FastLines } from '../../src/vpc-text/fast-lines.ts'
import { layoutOfFormat } from '../../src/vpc-text/layout.ts'
import { TextReader } from '../../src/vpc-text/text-reader.ts'
import { type Chance, chanceFrom, defaultHeader, logOf, recordLine, setting } from '../robustness/support.ts'
import { Lines } from './random-log.ts'
import { fieldOf, finished, type Log, type Outcome, reading } from './reading.ts'

const inputs = setting('FAST_LINES', 100)
const seed = setting('MUTATION_SEED', 1848)
const capacities = [8, 61, 1000, 1024, 1031, 2055, 5000]
const millions = 1_000_000n

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}

function logFrom(bytes: Uint8Array, change: Partial<Log> = {}): Log {
  return { bytes, layout: null, stamped: false, cut: false, pieces: [1 << 20], ...change }
}

/** Reads the files both ways; the same must come out. */
function assertSame(logs: readonly Log[], capacity: number): Outcome {
  const fast = finished(reading(logs, capacity, false))
  const careful = finished(reading(logs, capacity, true))
  assertEqual(fast, careful)
  return fast
}

function assertEqual(fast: Outcome, careful: Outcome): void {
  assert.deepEqual(fast.files, careful.files)
  // Compared one by one: what differs is one row, not a page of them.
  for (const [i, rows] of careful.buffers.entries()) {
    for (const [row, text] of rows.entries())
      if (fast.buffers[i]?.[row] !== text) assert.equal(fast.buffers[i]?.[row], text)
    assert.equal(fast.buffers[i]!.length, rows.length)
  }
  assert.equal(fast.buffers.length, careful.buffers.length)
}

/** Counts the rows that are read by WebAssembly from now on. */
function countFastRows(t: TestContext): { rows: number } {
  const fast = FastLines.get()
  assert.ok(fast)
  const { read } = fast
  const count = { rows: 0 }
  fast.read = (...args) => {
    const result = read.apply(fast, args)
    count.rows += result.rows
    return result
  }
  t.after(() => {
    fast.read = read
  })
  return count
}

function recordsOf({ files }: Outcome): number {
  return files.reduce((sum, file) => sum + (file as TextReader).counts.records, 0)
}

// ---------------------------------------------------------------------------------------------------------------------
// At random
// ---------------------------------------------------------------------------------------------------------------------

/** `lines` has a number for each line: fewer lines of a file that fails are a file that may still fail. */
interface Plan {
  start: number
  lines: number[]
}

const plan: fc.Arbitrary<Plan> = fc.record({
  start: fc.integer(),
  lines: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 120, size: 'max' }),
})

function randomLog({ start, lines }: Plan): Log {
  const chance = chanceFrom(start)
  const stamped = chance.maybe(0.15)
  const writer = new Lines(chance, stamped)
  const layout = chance.maybe(0.3) ? layoutOfFormat(writer.fields.join(' '), { unknown: true }) : null
  const parts = layout === null || chance.maybe(0.3) ? [writer.header] : []
  for (const line of lines) {
    for (let skip = line & 3; skip > 0; skip--) chance.int(0, 1)
    parts.push(writer.next())
  }
  const bytes = bytesOf(parts.join(''))
  const long = 1 + chance.int(0, bytes.length)
  const pieces = chance.maybe(0.4) ? [1 << 20] : [1 + chance.int(0, 1500), long, 1 + chance.int(0, 200)]
  const whole = chance.maybe(0.5) ? bytes : bytes.subarray(0, bytes.length - chance.int(0, Math.min(bytes.length, 30)))
  return { bytes: whole, layout, stamped, cut: chance.maybe(0.2), pieces }
}

test('one file or two in a row: read fast and carefully they are the same', t => {
  const count = countFastRows(t)
  let records = 0
  fc.assert(
    fc.property(fc.array(plan, { minLength: 1, maxLength: 2 }), fc.constantFrom(...capacities), (plans, capacity) => {
      records += recordsOf(assertSame(plans.map(randomLog), capacity))
    }),
    { numRuns: inputs, seed },
  )
  t.diagnostic(`${records} records, ${count.rows} of them read fast`)
  assert.ok(count.rows > records / 4, 'the fast reader has something to do')
})

test('rows of many more lines than are gathered at once come out in their places, whenever a buffer is full', () => {
  const chance = chanceFrom(seed)
  for (const capacity of capacities) {
    const nulls = chance.pick([0, 0.001, 0.3])
    const lines = Array.from({ length: 5000 }, (_, i) => {
      const fields = recordLine(i).split(' ')
      for (const field of [1, 2, 3, 5, 7, 8, 12]) if (chance.maybe(nulls)) fields[field] = '-'
      if (chance.maybe(nulls)) fields[4] = `2001:db8::${i % 9999}`
      if (chance.maybe(0.001)) fields[chance.int(0, 13)] = 'odd'
      return fields.join(' ')
    })
    const bytes = bytesOf([defaultHeader, ...lines, ''].join('\n'))
    assertSame([logFrom(bytes), logFrom(bytes, { pieces: [100_000, 3] })], capacity)
  }
})

test('two readers by turns in one thread do not get into each other', () => {
  fc.assert(
    fc.property(fc.array(plan, { minLength: 2, maxLength: 3 }), fc.boolean(), (plans, isSameFile) => {
      const logs = plans.map(randomLog).map(log => ({ ...log, pieces: log.pieces.map(piece => Math.min(piece, 1500)) }))
      // The same layout twice is two sets of columns.
      const [first, ...rest] = isSameFile ? [logs[0]!, logs[0]!] : logs
      const works = [reading([first!], 100, false), reading(rest, 61, false)]
      const outcomes = new Map<number, Outcome>()
      while (outcomes.size < works.length) {
        for (const [i, work] of works.entries()) {
          const step = outcomes.has(i) ? null : work.next()
          if (step?.done) outcomes.set(i, step.value)
        }
      }
      assertEqual(outcomes.get(0)!, finished(reading([first!], 100, true)))
      assertEqual(outcomes.get(1)!, finished(reading(rest, 61, true)))
    }),
    { numRuns: inputs / 5, seed: seed + 1 },
  )
})

// ---------------------------------------------------------------------------------------------------------------------
// Altered
// ---------------------------------------------------------------------------------------------------------------------

const nasty = [...Buffer.from('\0\t\n\r -./0123456789:;AFGafgOK')].concat(0x1f, 0x21, 0x7f, 0x80, 0xff)

/** One to eight changes: bytes set, stretches cut out, doubled or exchanged. */
function altered(original: Uint8Array, chance: Chance): Uint8Array {
  let bytes = original.slice()
  for (let changes = chance.int(1, 8); changes > 0 && bytes.length > 0; changes--) {
    const at = chance.int(0, bytes.length - 1)
    const other = chance.int(0, bytes.length - 1)
    switch (chance.int(0, 5)) {
      case 0:
      case 1:
        bytes[at] = chance.pick(nasty)
        break
      case 2:
        bytes[at]! ^= 1 << chance.int(0, 7)
        break
      case 3:
        bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + chance.int(1, 3))]))
        break
      case 4:
        bytes = new Uint8Array(
          Buffer.concat([bytes.subarray(0, at), Uint8Array.of(chance.pick(nasty)), bytes.subarray(at)]),
        )
        break
      default:
        bytes.copyWithin(at, other, other + chance.int(1, 40))
    }
  }
  return bytes
}

const six = Array.from({ length: 30 }, (_, i) => {
  const line = recordLine(i).split(' ')
  line[3] = ['2001:db8::1', '::', 'fe80:1:2:3:4:5:6:7', '::ffff:a00:1'][i % 4]!
  line[9] = String(10n ** BigInt(i % 20))
  for (const time of [10, 11]) line[time] = `${line[time]}${i % 3 === 0 ? '' : '123'}`
  if (i % 6 === 0) line[5] = '-'
  if (i % 7 === 0) line[1] = '-'
  return line.join(' ')
})
const seeds: [name: string, text: string][] = [
  ['IPv4', logOf(40)],
  ['IPv6, milliseconds and nulls', [defaultHeader, ...six, ''].join('\n')],
  ['CRLF', logOf(40).replaceAll('\n', '\r\n')],
]

for (const [name, text] of seeds) {
  test(`${name}: ${2 * inputs} altered files are read the same fast and carefully`, t => {
    const count = countFastRows(t)
    const chance = chanceFrom(seed)
    const original = bytesOf(text)
    for (let input = 0; input < 2 * inputs; input++) {
      const bytes = altered(original, chance)
      const pieces = input % 3 === 0 ? [1 + chance.int(0, bytes.length)] : [1 << 20]
      assertSame([logFrom(bytes, { pieces, cut: input % 5 === 0 })], input % 4 === 0 ? 8 : 100)
    }
    assert.ok(count.rows > 10 * inputs)
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// Values
// ---------------------------------------------------------------------------------------------------------------------

/** The columns of a reader that has read these lines, to which the fast reader is still bound. */
function taught(
  text: string,
  capacity = 5000,
): { fast: FastLines; buffer: RecordBuffer; columns: ReturnType<RecordBuffer['columns']> } {
  const buffer = new RecordBuffer(capacity)
  const reader = new TextReader(buffer, { file: 1, layout: null, stamped: false })
  reader.read(bytesOf(text))
  const columns = reader.layouts.at(-1)!.columns.map(name => buffer.column(name))
  const fast = FastLines.get()
  assert.ok(fast)
  assert.ok(fast.bind(columns, false))
  return { fast, buffer, columns }
}

const wideHeader =
  'version interface-id srcaddr dstaddr srcport action log-status bytes start end tcp-flags region az-id instance-id'

test('values of plain lines are what the lines say', () => {
  const teacher = `${wideHeader}
5 eni-1 10.0.0.1 10.0.0.2 1 ACCEPT OK 1 1 2 3 us-east-1 use1-az1 i-1
5 eni-2 10.0.0.1 10.0.0.2 1 REJECT OK 1 1 2 3 - - -
5 eni-1 10.0.0.1 10.0.0.2 1 - OK 1 1 2 3 us-east-1 - i-1
`
  const { fast, buffer, columns } = taught(teacher)
  const row = buffer.rows
  assert.equal(row, 3)
  const lines = [
    '5 eni-2 0.0.0.0 255.255.255.255 65535 ACCEPT OK 999999999999999 1700000000 1700000060 0 us-east-1 use1-az1 i-1',
    '0 - 1.22.133.4 192.0.2.10 0 REJECT OK 0 0 2147483647 255 - - -\r',
    '005 eni-1 2001:db8::93 ::1 00443 - OK 12345678 2147483648 9007199254740 18 us-east-1 - i-1',
    '- eni-1 - 2001:DB8:0:1:2:3:4:ffff - ACCEPT OK - 1700000000123 1700000000123 - us-east-1 use1-az1 i-1',
    '2 eni-2 ::ffff:a00:1 fe80:: 53 ACCEPT OK 123456789 0 0 1 - - -',
  ]
  const bytes = bytesOf(`${lines.join('\n')}\n`)
  assert.deepEqual(fast.read(bytes, 0, bytes.length, row, buffer.capacity), {
    rows: lines.length,
    at: bytes.length,
    firstStart: 0,
    lastEnd: 9_007_199_254_740_000,
  })
  const values = lines.map((_, i) =>
    columns.map(column => {
      const value = fieldOf(column, row + i)
      if (column.type !== 'address' || typeof value !== 'bigint') return value
      return formatAddress(value >> 64n, value & 0xffff_ffff_ffff_ffffn)
    }),
  )
  const us = ['us-east-1', 'use1-az1', 'i-1']
  const [seconds, milli] = [1_700_000_000n * millions, 1_700_000_000_123_000n]
  assert.deepEqual(values, [
    [
      5,
      'eni-2',
      '0.0.0.0',
      '255.255.255.255',
      65535,
      'ACCEPT',
      'OK',
      999_999_999_999_999n,
      seconds,
      seconds + 60n * millions,
      0,
      ...us,
    ],
    [0, null, '1.22.133.4', '192.0.2.10', 0, 'REJECT', 'OK', 0n, 0n, 2_147_483_647n * millions, 255, null, null, null],
    [
      5,
      'eni-1',
      '2001:db8::93',
      '::1',
      443,
      null,
      'OK',
      12_345_678n,
      2_147_483_648_000n,
      9_007_199_254_740_000n,
      18,
      'us-east-1',
      null,
      'i-1',
    ],
    [null, 'eni-1', null, '2001:db8:0:1:2:3:4:ffff', null, 'ACCEPT', 'OK', null, milli, milli, null, ...us],
    [2, 'eni-2', '10.0.0.1', 'fe80::', 53, 'ACCEPT', 'OK', 123_456_789n, 0n, 0n, 1, null, null, null],
  ])
})

const oddFields: [field: number, text: string][] = [
  [0, '256'],
  [0, ''],
  [0, '1234567890123456'],
  [1, 'eni-3'],
  [2, '10.0.0.01'],
  [2, '10.0.0.256'],
  [2, '10.0.0.1.'],
  [2, '1:2:3:4:5:6:7'],
  [2, '1:2:3:4:5:6:7:8:9'],
  [2, '12345::'],
  [2, '::1.2.3.4'],
  [2, 'fe80::1%eth0'],
  [4, '65536'],
  [4, '1;'],
  [5, 'DROP'],
  [6, '-'],
  [6, 'NODATA'],
  [7, '18446744073709551615'],
  [8, '-'],
  [8, '3'],
  [9, '9007199254741'],
  [13, 'i-1\t'],
  [13, 'i-1 '],
  [13, 'i-1\r\r'],
]
for (const [field, text] of oddFields) {
  test(`the fast reader stops before a line with the field ${JSON.stringify(text)} of ${wideHeader.split(' ')[field]}`, () => {
    const line = '5 eni-1 10.0.0.1 10.0.0.2 1 ACCEPT OK 1 1 2 3 us-east-1 use1-az1 i-1'
    const { fast, buffer } = taught(`${wideHeader}\n${line}\n`)
    const odd = line.split(' ')
    odd[field] = text
    const bytes = bytesOf(`${line}\n${odd.join(' ')}\n${line}\n`)
    const { rows, at } = fast.read(bytes, 0, bytes.length, 1, buffer.capacity)
    assert.deepEqual({ rows, at }, { rows: 1, at: line.length + 1 })
  })
}

test('a status that stands alone may not be null', () => {
  const line = '10.0.0.1 10.0.0.2 1 2 OK 7 ACCEPT'
  const { fast, buffer } = taught(`srcaddr dstaddr start end log-status bytes action\n${line}\n`)
  const bytes = bytesOf(`${line.replace('ACCEPT', '-')}\n${line.replace('OK', '-')}\n`)
  assert.equal(fast.read(bytes, 0, bytes.length, 1, buffer.capacity).rows, 1)
})

test('a line that is given up leaves no null behind', () => {
  const line = '5 eni-1 10.0.0.1 10.0.0.2 1 ACCEPT OK 1 1 2 3 us-east-1 use1-az1 i-1'
  const { fast, buffer, columns } = taught(`${wideHeader}\n${line}\n`)
  const bytes = bytesOf(`${line}\n${line.replace('5 eni-1 10.0.0.1', '- - -').replace('ACCEPT', 'DROP')}\n`)
  assert.equal(fast.read(bytes, 0, bytes.length, 1, buffer.capacity).rows, 1)
  assert.ok(columns.every(column => !column.hasNull))
})

// ---------------------------------------------------------------------------------------------------------------------
// Out of the ordinary
// ---------------------------------------------------------------------------------------------------------------------

test('a file that ends its lines with CR and newline is read fast from the second line on', t => {
  const count = countFastRows(t)
  const lines = Array.from({ length: 500 }, (_, i) => recordLine(5 * i + 1).replace(/eni-\S+/, 'eni-1'))
  assertSame([logFrom(bytesOf([defaultHeader, ...lines, ''].join('\r\n')))], 1000)
  assert.ok(count.rows >= 490, `${count.rows}`)
})

test('what nothing was taught of is left to the careful reader', () => {
  const buffer = new RecordBuffer(10)
  const columns = defaultHeader.split(' ').map(name => buffer.column(name.replaceAll('-', '_')))
  const fast = FastLines.get()!
  assert.ok(fast.bind(columns, false))
  const bytes = bytesOf(`${recordLine(1)}\n`)
  assert.deepEqual(
    { ...fast.read(bytes, 0, bytes.length, 0, 10) },
    {
      rows: 0,
      at: 0,
      firstStart: Number.POSITIVE_INFINITY,
      lastEnd: Number.NEGATIVE_INFINITY,
    },
  )
})

test('lines without times are none for the fast reader', () => {
  const buffer = new RecordBuffer(10)
  const columns = ['srcaddr', 'dstaddr', 'start', 'action'].map(name => buffer.column(name))
  assert.ok(!FastLines.get()!.bind(columns, false))
})

test('the fast reader pauses in a block of odd lines, and comes back after it', t => {
  const count = countFastRows(t)
  const odd = Array.from({ length: 4000 }, (_, i) => recordLine(i).replace(' 443 ', i % 2 === 0 ? ' 66666 ' : ' 443  '))
  const plain = Array.from({ length: 4000 }, (_, i) => recordLine(i))
  const text = [defaultHeader, ...plain, ...odd, ...plain, ''].join('\n')
  const { files } = assertSame([logFrom(bytesOf(text))], 100_000)
  assert.equal((files[0] as TextReader).counts.malformed, odd.length)
  const blockLines = (128 << 10) / 100
  assert.ok(count.rows > 2 * plain.length - 2 * blockLines && count.rows < 2 * plain.length, `${count.rows}`)
})

/** Lines of a layout with a run of text at its beginning, one in the middle and one at its end. */
function phraseLog(words: readonly string[]): string {
  const line = (word: string): string => `${word} 10.0.0.1 10.0.0.2 10 20 ${word} ${word} 7 ${word}`
  return ['interface-id srcaddr dstaddr start end region az-id bytes action-x', ...words.map(line), ''].join('\n')
}

test('when there is no memory for more phrases, those that were learned stay', t => {
  const count = countFastRows(t)
  const long = (i: number): string => `${i}-`.padEnd(1200, 'x')
  const few = Array.from({ length: 500 }, (_, i) => `eni-${i % 5}`)
  const many = Array.from({ length: 1500 }, (_, i) => long(i))
  const text = phraseLog([...few, ...many, ...few, ...many.slice(0, 300), ...many, 'x', 'x', ...few])
  assertSame([logFrom(bytesOf(text))], 100_000)
  assert.ok(count.rows > 1200, `${count.rows}`)
})

test('of more phrases than a table has room for, the first ones stay', t => {
  const count = countFastRows(t)
  const many = Array.from({ length: 6000 }, (_, i) => `eni-${i}`)
  const common = Array.from({ length: 3000 }, (_, i) => `eni-${i % 50}`)
  const text = phraseLog([...many, ...common, 'a', ...many.slice(0, 3000), 'a', 'bc', 'a', ...common])
  assertSame([logFrom(bytesOf(text)), logFrom(bytesOf(text), { pieces: [70_000] })], 100_000)
  assert.ok(count.rows > common.length, `${count.rows}`)
})

test('short phrases are told apart beside long ones, whichever come first', t => {
  const count = countFastRows(t)
  const words = [
    'a',
    'ab',
    'abc',
    'abcdefg',
    'abcdefgh',
    'abcdefghi',
    'x'.repeat(1500),
    `${'x'.repeat(1500)}y`,
    '--',
    'b',
  ]
  const chance = chanceFrom(5)
  for (const order of [words, words.toReversed()]) {
    const text = phraseLog([...order, ...Array.from({ length: 2000 }, () => chance.pick(order.slice(0, 9)))])
    assertSame([logFrom(bytesOf(text))], 1031)
  }
  assert.ok(count.rows > 3900, `${count.rows}`)
})

test('lines longer than a block, and longer than any record, stand between plain ones', t => {
  const count = countFastRows(t)
  const plain = Array.from({ length: 300 }, (_, i) => recordLine(i))
  const zeros = recordLine(1).replace(' 443 ', ` ${'443'.padStart(140_000, '0')} `)
  const long = ['x'.repeat(131_071), 'y'.repeat(131_072), zeros, 'z '.repeat(100_000), 'w'.repeat((1 << 20) + 10)]
  const text = [defaultHeader, ...long.flatMap(line => [...plain, line]), ...plain, ''].join('\n')
  for (const pieces of [[1 << 30], [65_536], [200_000, 1]]) {
    const { files } = assertSame([logFrom(bytesOf(text), { pieces })], 100_000)
    assert.equal((files[0] as TextReader).counts.records, 6 * plain.length + 1)
  }
  assert.ok(count.rows > 3 * 5 * plain.length, `${count.rows}`)
})
