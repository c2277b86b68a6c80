import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { constants, createGunzip, gzipSync } from 'node:zlib'
import { addEvidence } from '../../src/ingest/add.ts'
import { RecordBuffer } from '../../src/records/record-buffer.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { layoutOfFormat } from '../../src/vpc-text/layout.ts'
import { TextReader } from '../../src/vpc-text/text-reader.ts'
import { readFolder } from '../oracle/oracle.ts'
import { recordsByLine, wrongFigure } from './figures.ts'
import { Bench, fault, judgeGzip, type Reading } from './reading.ts'
import {
  type Chance,
  chanceFrom,
  defaultHeader,
  folderFor,
  logOf,
  recordLine,
  recordsOfFiles,
  setting,
  within,
} from './support.ts'
import { zstdFixtures } from './zstd-fixtures.ts'

const total = setting('MUTATIONS', 2000)
const seed = setting('MUTATION_SEED', 1848)
const share = (part: number): number => Math.round(total * part)

/** Lines of each kind, good ones all. */
function goodLines(chance: Chance): string[] {
  return Array.from({ length: chance.int(3, 12) }, (_, i) => {
    const time = 1_700_000_000 + i
    if (chance.maybe(0.1))
      return `2 123456789012 eni-0 - - - - - - - ${time} ${time + 59} - ${chance.pick(['NODATA', 'SKIPDATA'])}`
    if (chance.maybe(0.1))
      return `2 123456789012 eni-0 2001:db8::${i} 2001:db8:0:1::9 ${i} 443 17 1 18446744073709551615 ${time} ${time} ACCEPT OK`
    return recordLine(chance.int(0, 99_999))
  })
}

const pieces = [
  '-',
  '',
  ' ',
  '  ',
  '\t',
  '0',
  '-1',
  '65536',
  '1e3',
  '18446744073709551616',
  '9'.repeat(40),
  '::1',
  '::ffff:192.0.2.1',
]
const morePieces = [
  '1.2.3',
  '192.0.2.256',
  'ACCEPT',
  'accept',
  'OK',
  'NODATA',
  'é',
  '\u2028',
  '%n',
  '__proto__',
  'x'.repeat(5000),
  '0'.repeat(1030),
]

/** Damages bytes here and there. */
function damaged(bytes: Buffer, chance: Chance): Buffer {
  let result = Buffer.from(bytes)
  for (let n = chance.int(1, 4); n > 0; n--) {
    const at = chance.int(0, Math.max(0, result.length - 1))
    const some = Buffer.from(Array.from({ length: chance.int(1, 4) }, () => chance.int(0, 255)))
    const way = chance.int(1, 6)
    if (way <= 2 && result.length > 0) result[at]! ^= 1 << chance.int(0, 7)
    else if (way === 3) result = Buffer.concat([result.subarray(0, at), some, result.subarray(at)])
    else if (way === 4) result = Buffer.concat([result.subarray(0, at), result.subarray(at + chance.int(1, 6))])
    else if (way === 5 && result.length > 0) result[at] = chance.pick([0, 10, 13, 32, 45, 255, 0x1f])
    else result = Buffer.concat([result.subarray(0, at), result.subarray(chance.int(0, at))])
  }
  return result
}

/** One line, changed as a line: fields taken away, added, exchanged for odd ones. */
function changedLine(line: string, chance: Chance): string {
  const fields = line.split(' ')
  const at = chance.int(0, fields.length - 1)
  switch (chance.int(1, 6)) {
    case 1:
      return fields.toSpliced(at, 1).join(' ')
    case 2:
      return fields.toSpliced(at, 0, chance.pick(pieces)).join(' ')
    case 3:
      return fields.with(at, fields[chance.int(0, fields.length - 1)]!).join(' ')
    case 4:
      return line.slice(0, chance.int(0, line.length))
    default:
      return fields.with(at, chance.pick(chance.maybe(0.5) ? pieces : morePieces)).join(' ')
  }
}

test(`${share(0.55)} mutated texts: no crash, no lost good line, every loss is counted and named`, async t => {
  const folder = folderFor(t)
  const bench = new Bench(folder)
  const chance = chanceFrom(seed)
  const count = share(0.55)
  const compared = { files: 0, records: 0, malformed: 0, free: 0 }
  for (let done = 0; done < count; ) {
    // The slow reader takes folders.
    const contents: Buffer[] = []
    const dir = join(folder, 'inputs')
    mkdirSync(dir)
    for (let i = 0; i < 250 && done < count; i++, done++) {
      const newline = chance.maybe(0.2) ? '\r\n' : '\n'
      const good = goodLines(chance)
      const touched = new Set(Array.from({ length: chance.int(1, 3) }, () => chance.int(0, good.length - 1)))
      const lines = good.map((line, n) => {
        if (!touched.has(n)) return Buffer.from(line)
        return chance.maybe(0.5) ? Buffer.from(changedLine(line, chance)) : damaged(Buffer.from(line), chance)
      })
      const last = chance.maybe(0.2) ? '' : newline
      const content = Buffer.concat([
        Buffer.from(`${defaultHeader}${newline}`),
        ...lines.flatMap((line, n) => [line, Buffer.from(n < lines.length - 1 ? newline : last)]),
      ])
      contents.push(content)
      writeFileSync(join(dir, String(i).padStart(3, '0')), content)
    }
    const expected = readFolder(dir)
    for (const [i, content] of contents.entries()) {
      const reading = await bench.read(content)
      const where = `seed ${seed}, text ${done - contents.length + i}: ${JSON.stringify(content.toString('latin1'))}`
      assert.equal(fault(reading), null, where)
      assert.equal(wrongFigure(reading.values, content, defaultHeader), null, where)
      const judge = expected.files[i]!
      if (judge.status === 'duplicate') continue
      compared.files++
      compared.records += reading.records.length
      compared.malformed += reading.entry.malformed
      compareLines(
        reading,
        content,
        judge.problems.map(problem => problem.line),
        where,
      )
    }
    rmSync(dir, { recursive: true })
  }
  t.diagnostic(`seed ${seed}: ${JSON.stringify(compared)}`)
})

/** A line is malformed for us if it is for the slow reader, or has what only we refuse: control characters and endless words. */
function compareLines(reading: Reading, content: Buffer, refused: number[], where: string): void {
  const lines = content.toString('latin1').split('\n')
  const strange = (line: number): boolean => {
    const text = lines[line - 1]!.replace(/\r$/, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    return /[\0-\x1f]/.test(text) || text.split(' ').some(word => word.length > 1000)
  }
  const ours = reading.problems.map(problem => problem.line!)
  assert.deepEqual(
    ours.filter(line => !strange(line)),
    refused.filter(line => !strange(line)),
    where,
  )
  const wrongly = refused.filter(line => !ours.includes(line))
  assert.deepEqual(wrongly, [], `taken for good: ${where}`)
}

test(`${share(0.1)} texts damaged anywhere, header included: no crash, everything accounted for`, async t => {
  const bench = new Bench(folderFor(t))
  const chance = chanceFrom(seed + 1)
  const outcomes = new Map<string, number>()
  for (let i = 0; i < share(0.1); i++) {
    const content = damaged(Buffer.from(`${defaultHeader}\n${goodLines(chance).join('\n')}\n`), chance)
    const reading = await bench.read(content)
    const where = `seed ${seed + 1}, text ${i}: ${JSON.stringify(content.toString('latin1'))}`
    assert.equal(fault(reading), null, where)
    // Whatever became of the header: no value stands under the name of another.
    const wrong = wrongFigure(reading.values, content, defaultHeader)
    if (wrong !== null) assert.match(wrong, /\bis undefined, but the line says/, where)
    outcomes.set(reading.entry.status, (outcomes.get(reading.entry.status) ?? 0) + 1)
  }
  t.diagnostic(`seed ${seed + 1}: ${JSON.stringify(Object.fromEntries(outcomes))}`)
})

test(`${share(0.1)} lists of lines as they come out of Parquet, mutated: no header is seen in them, and each value is that of its line`, () => {
  const chance = chanceFrom(seed + 6)
  const buffer = new RecordBuffer(64)
  const layout = layoutOfFormat(defaultHeader)
  for (let i = 0; i < share(0.1); i++) {
    const lines = [...goodLines(chance), defaultHeader, defaultHeader.replace('srcaddr dstaddr', 'dstaddr srcaddr')]
    const content = damaged(Buffer.from(`${lines.join('\n')}\n`), chance)
    const where = `seed ${seed + 6}, lines ${i}: ${JSON.stringify(content.toString('latin1'))}`
    buffer.reset()
    const reader = new TextReader(buffer, { file: 1, layout, stamped: false, headers: false })
    assert.equal(reader.read(content), content.length)
    reader.end(false)
    const { lines: all, header_lines, records, no_data, skip_data, malformed } = reader.counts
    assert.deepEqual([all, header_lines], [records + no_data + skip_data + malformed, 0], where)
    assert.equal(wrongFigure(recordsByLine(buffer), content, defaultHeader), null, where)
  }
})

/** A gzip file of a few members, damaged in one of the ways in which files are. */
function oddGzip(text: Buffer, chance: Chance): Buffer {
  const level = chance.pick([1, 6, 9, 0])
  const strategy = chance.pick([constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY])
  const members: Buffer[] = []
  for (let from = 0, left = chance.int(1, 3); left > 0; left--) {
    const to = left === 1 ? text.length : chance.int(from, text.length)
    members.push(gzipSync(text.subarray(from, to), { level, strategy }))
    from = to
  }
  const junk = (): Buffer => Buffer.from(Array.from({ length: chance.int(1, 12) }, () => chance.int(0, 255)))
  const zeros = (): Buffer => Buffer.alloc(chance.int(1, 600))
  const whole = Buffer.concat(members)
  switch (chance.int(1, 12)) {
    case 1:
      return Buffer.concat(members.flatMap(member => [member, zeros()]))
    case 2:
      return Buffer.concat(members.flatMap(member => [member, junk()]))
    case 3:
      return Buffer.concat([whole, zeros(), junk()])
    case 4:
      return Buffer.concat([
        whole,
        chance.pick([Buffer.of(0x1f), Buffer.of(0x1f, 0x8b), Buffer.of(0x1f, 0x8b, 8), gzipSync('')]),
      ])
    case 5:
    case 6:
      return whole.subarray(0, chance.int(2, whole.length - 1))
    case 7: {
      // A wrong checksum or length at the end.
      const wrong = Buffer.from(whole)
      wrong[whole.length - chance.int(1, 8)]! ^= 1 << chance.int(0, 7)
      return wrong
    }
    case 8:
      return whole
    default: {
      const wrong = damaged(whole.subarray(2), chance)
      return Buffer.concat([whole.subarray(0, 2), wrong])
    }
  }
}

/** What zlib gives out when it is fed byte by byte, until it refuses one. */
async function fedByteByByte(packed: Buffer): Promise<Buffer> {
  const gunzip = createGunzip()
  const parts: Buffer[] = []
  let failed = false
  gunzip.on('error', () => {
    failed = true
  })
  gunzip.on('data', (piece: Buffer) => parts.push(piece))
  for (const byte of packed) {
    if (failed) break
    await new Promise<void>(resolve => {
      gunzip.once('close', resolve)
      gunzip.write(Buffer.of(byte), () => {
        gunzip.off('close', resolve)
        resolve()
      })
    })
  }
  gunzip.destroy()
  return Buffer.concat(parts)
}

test(`${share(0.2)} mutated gzip files: exactly the lines of what zlib can unpack, and all damage is told`, async t => {
  const bench = new Bench(folderFor(t))
  const chance = chanceFrom(seed + 2)
  const seen = { whole: 0, damaged: 0, records: 0, byteByByte: 0 }
  for (let i = 0; i < share(0.2); i++) {
    const text = Buffer.from(`${defaultHeader}\n${goodLines(chance).slice(0, 5).join('\n')}\n`)
    const packed = oddGzip(text, chance)
    const judge = judgeGzip(packed)
    const where = `seed ${seed + 2}, gzip ${i}: ${packed.toString('hex')}`
    if (i % 50 === 0 && packed.indexOf(Buffer.alloc(2), packed.length - 8) < 0) {
      // The judge itself, against zlib at its slowest.
      const slow = await within(30, where, fedByteByByte(packed))
      assert.equal(Buffer.compare(slow, judge.content.subarray(0, slow.length)), 0, where)
      seen.byteByByte++
    }
    const reading = await bench.read(packed)
    assert.equal(fault(reading), null, where)
    const isDamaged =
      reading.entry.status === 'partly-read' ||
      (reading.entry.status === 'unreadable' && /^byte \d+/.test(reading.entry.problem ?? ''))
    const lines = judge.content.toString('latin1').split('\n')
    const isLog = lines[0] === defaultHeader && lines.length > 1
    if (judge.damaged && (isLog || judge.content.length === 0)) assert.ok(isDamaged, `damage not told: ${where}`)
    if (!judge.damaged) assert.ok(!isDamaged, `sound, but called damaged (${reading.entry.problem}): ${where}`)
    if (judge.damaged) seen.damaged++
    else seen.whole++
    if (!isLog) continue
    // The same content, unpacked, is the yardstick: all its whole lines, and no other.
    const whole = judge.damaged ? judge.content.subarray(0, judge.content.lastIndexOf(10) + 1) : judge.content
    const plain = await bench.read(whole)
    assert.deepEqual(reading.records, plain.records, where)
    assert.deepEqual(reading.values, plain.values, where)
    assert.equal(wrongFigure(plain.values, whole, defaultHeader), null, where)
    seen.records += reading.records.length
    if (Buffer.compare(judge.content, text) === 0) {
      const silent = [plain.entry.records, plain.entry.no_data, plain.entry.skip_data]
      assert.deepEqual([reading.entry.records, reading.entry.no_data, reading.entry.skip_data], silent, where)
    }
  }
  t.diagnostic(`seed ${seed + 2}: ${JSON.stringify(seen)}`)
})

test(`${share(0.15)} mutated zstd files: what comes before the damage is kept, and all damage is told`, async t => {
  const bench = new Bench(folderFor(t))
  const chance = chanceFrom(seed + 3)
  const fixtures = zstdFixtures()
  const plain = new Map<string, Reading>()
  for (const { name, text } of fixtures) plain.set(name, await bench.read(text))
  const seen = { same: 0, damaged: 0, refused: 0 }
  for (let i = 0; i < share(0.15); i++) {
    const { name, packed, text } = chance.pick(fixtures)
    const mutated = oddZstd(packed, chance)
    const where = `seed ${seed + 3}, zstd ${i} of ${name}: ${mutated.toString('hex')}`
    const reading = await bench.read(mutated)
    assert.equal(fault(reading), null, where)
    const good = plain.get(name)!
    if (reading.entry.status === 'read') {
      // A checksum covers the content, so what is read without complaint is what was packed (some of it twice, if it was repeated).
      assert.ok(
        reading.entry.expanded_bytes % text.length === 0 || Buffer.compare(mutated, packed) === 0,
        `altered unseen: ${where}`,
      )
      seen.same++
      continue
    }
    if (reading.entry.status !== 'partly-read') {
      seen.refused++
      continue
    }
    seen.damaged++
    if (mutated.length < packed.length && Buffer.compare(mutated, packed.subarray(0, mutated.length)) === 0) {
      assert.deepEqual(reading.records, good.records.slice(0, reading.records.length), where)
    }
  }
  t.diagnostic(`seed ${seed + 3}: ${JSON.stringify(seen)}`)
  assert.ok(seen.same > 0 && seen.damaged > 0)
})

/** A zstd file with flipped bits, cuts, odd headers, more frames. */
function oddZstd(packed: Buffer, chance: Chance): Buffer {
  const skippable = Buffer.concat([
    Buffer.of(0x50 + chance.int(0, 15), 0x2a, 0x4d, 0x18, 3, 0, 0, 0),
    Buffer.from('abc'),
  ])
  switch (chance.int(1, 10)) {
    case 1:
    case 2:
      return packed.subarray(0, chance.int(4, packed.length - 1))
    case 3:
      return Buffer.concat([packed, skippable, packed])
    case 4:
      return Buffer.concat([packed, Buffer.from(Array.from({ length: chance.int(1, 40) }, () => chance.int(0, 255)))])
    case 5: {
      // A window descriptor of anything up to 3.75 TiB where the single-segment flag was.
      const flags = packed[4]! & ~0x20
      return Buffer.concat([packed.subarray(0, 4), Buffer.of(flags, chance.int(0x80, 0xff)), packed.subarray(5)])
    }
    case 6: {
      const huge = Buffer.from(packed)
      huge[4] = huge[4]! | 0xc0
      return huge
    }
    default: {
      const flipped = Buffer.from(packed)
      for (let n = chance.int(1, 2); n > 0; n--) flipped[chance.int(4, packed.length - 1)]! ^= 1 << chance.int(0, 7)
      return flipped
    }
  }
}

test('64 mutated files in one add: the case holds every good line and says what is not in it', async t => {
  const root = folderFor(t)
  const folder = join(root, 'logs')
  mkdirSync(folder)
  const chance = chanceFrom(seed + 4)
  for (let i = 0; i < 64; i++) {
    const text = Buffer.from(logOf(chance.int(5, 60), i * 1000))
    const headed = Buffer.concat([
      Buffer.from(`${defaultHeader}\n`),
      damaged(text.subarray(defaultHeader.length + 1), chance),
    ])
    const content = [
      () => headed,
      () => damaged(text, chance),
      () => oddGzip(text, chance),
      () => damaged(gzipSync(text), chance),
    ]
    writeFileSync(join(folder, `${i}.log`), content[i % 4]!())
  }
  const dir = join(root, 'case')
  const report = await addEvidence({ case: dir, paths: [folder], workers: 2, rowsPerSegment: 64 })
  assert.equal(report.files.length, 64)
  const held = await recordsOfFiles(dir)
  for (const file of report.files) {
    assert.equal(held.get(file.path)?.records ?? 0, file.records, file.path)
    assert.equal(
      file.header_lines + file.records + file.no_data + file.skip_data + file.malformed,
      file.lines,
      file.path,
    )
    if (file.status !== 'read') assert.ok(file.problem, file.path)
  }
  assert.deepEqual((await verifyCase(dir)).findings, [])
  await checkAgainstBench(
    t,
    folder,
    report.files.map(file => [file.path, file.records]),
  )
})

async function checkAgainstBench(t: TestContext, folder: string, files: [string, number][]): Promise<void> {
  const { readFileSync } = await import('node:fs')
  const bench = new Bench(folderFor(t))
  for (const [path, records] of files) {
    const content = readFileSync(path)
    if (content.subarray(0, 4).toString() === 'PAR1') continue
    const reading = await bench.read(content)
    assert.equal(records, reading.records.length, `${path} in ${folder}`)
  }
}
