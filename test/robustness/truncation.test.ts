import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Bench, fault, judgeGzip } from './reading.ts'
import { defaultHeader, folderFor, logOf, recordLine, setting } from './support.ts'
import { zstdFixtures } from './zstd-fixtures.ts'

/** Of files that are long, one cut in so many; all of them with --all. Those near their ends and joints are always made. */
const cutStep = setting('CUT_STEP', 12)
const near = 8

const lines = [
  defaultHeader,
  recordLine(1),
  '2 123456789012 eni-0 - - - - - - - 1700000000 1700000059 - NODATA',
  recordLine(2),
  'not a record',
  defaultHeader,
  recordLine(3),
  '2 123456789012 eni-0 - - - - - - - 1700000060 1700000119 - SKIPDATA',
  recordLine(4),
]
const plain = Buffer.from(`${lines.join('\n')}\n`)
const crlf = Buffer.from(`${lines.join('\r\n')}\r\n`)

for (const [name, content] of [
  ['plain', plain],
  ['CRLF', crlf],
] as const) {
  test(`a ${name} log cut at every byte: everything accounted for, every whole line kept`, async t => {
    const bench = new Bench(folderFor(t))
    const whole = await bench.read(content)
    assert.deepEqual(
      [whole.entry.records, whole.entry.no_data, whole.entry.skip_data, whole.entry.malformed],
      [4, 1, 1, 1],
    )
    let inLastLine = 0
    for (let cut = 0; cut < content.length; cut++) {
      const reading = await bench.read(content.subarray(0, cut))
      assert.equal(fault(reading), null, `cut at ${cut}`)
      const endings = content.subarray(0, cut).toString().split('\n').length - 1
      // The cut line may look whole (a port number short of a digit does), but no line before it is lost.
      assert.deepEqual(
        reading.records.filter(line => line <= endings),
        whole.records.filter(line => line <= endings),
        `cut at ${cut}`,
      )
      const extra = reading.records.filter(line => line > endings)
      if (extra.length > 0) inLastLine++
      assert.ok(extra.length <= 1)
      if (endings > 0)
        assert.equal(
          reading.entry.lines,
          endings + (cut > 0 && content[cut - 1] !== 10 ? blankless(content, cut) : 0),
          `cut at ${cut}`,
        )
    }
    t.diagnostic(`${content.length} cuts; the last line passes for a record in ${inLastLine} of them`)
  })
}

/** A rest that is only CR is a line all the same, for no LF follows it; nothing is no line. */
function blankless(content: Buffer, cut: number): number {
  const rest = content.subarray(content.subarray(0, cut).lastIndexOf(10) + 1, cut)
  return rest.length > 0 && !(rest.length === 1 && rest[0] === 13) ? 1 : 0
}

for (const [name, packed, text] of [
  ['one member', gzipSync(plain), plain],
  ['stored', gzipSync(plain, { level: 0 }), plain],
  [
    'three members that end within lines',
    Buffer.concat([plain.subarray(0, 7), plain.subarray(7, 400), plain.subarray(400)].map(part => gzipSync(part))),
    plain,
  ],
] as const) {
  test(`a gzip file (${name}) cut at every byte: the cut is told, exactly the lines before it are kept`, async t => {
    const bench = new Bench(folderFor(t))
    const whole = await bench.read(text)
    assert.deepEqual((await bench.read(packed)).records, whole.records)
    for (let cut = 2; cut < packed.length; cut++) {
      const part = packed.subarray(0, cut)
      const reading = await bench.read(part)
      const judge = judgeGzip(part)
      assert.equal(fault(reading), null, `cut at ${cut}`)
      const endings = judge.content.toString().split('\n').length - 1
      if (endings > 0 || judge.damaged)
        assert.notEqual(reading.entry.status, judge.damaged ? 'read' : 'partly-read', `cut at ${cut}`)
      if (judge.damaged) assert.match(reading.entry.problem ?? '', /^byte \d+: gzip: /, `cut at ${cut}`)
      const kept = judge.damaged ? whole.records.filter(line => line <= endings) : reading.records
      assert.deepEqual(reading.records, kept, `cut at ${cut}`)
    }
    t.diagnostic(`${packed.length} bytes`)
  })
}

for (const { name, packed, text } of zstdFixtures()) {
  const step = packed.length > 1000 ? cutStep : 1
  const where = step === 1 ? 'every byte' : `one byte in ${step}`
  test(`a zstd file (${name}) cut at ${where}: the cut is told, what is kept is a beginning`, async t => {
    const bench = new Bench(folderFor(t))
    const whole = await bench.read(text)
    const intact = await bench.read(packed)
    assert.equal(fault(intact), null)
    assert.deepEqual([intact.entry.status, intact.entry.records], ['read', whole.entry.records])
    assert.deepEqual(intact.records, whole.records)
    let kept = 0
    for (let cut = 4; cut < packed.length; cut++) {
      if (cut % step !== 0 && cut > 40 && cut < packed.length - 40) continue
      const reading = await bench.read(packed.subarray(0, cut))
      assert.equal(fault(reading), null, `cut at ${cut}`)
      const told = /^byte \d+: zstd: /.test(reading.entry.problem ?? '')
      // Cut between two frames, it is a sound file.
      if (!told)
        assert.ok(
          text.subarray(0, reading.entry.expanded_bytes).length < text.length && name.startsWith('frames'),
          `cut at ${cut}`,
        )
      assert.deepEqual(reading.records, whole.records.slice(0, reading.records.length), `cut at ${cut}`)
      kept = Math.max(kept, reading.records.length)
    }
    t.diagnostic(`${packed.length} bytes; at most ${kept} of ${whole.entry.records} records were before a cut`)
  })
}

test('a log larger than a piece, cut anywhere near the joints of the pieces, loses no line', async t => {
  const bench = new Bench(folderFor(t))
  const content = Buffer.from(logOf(6000))
  const piece = 256 << 10
  assert.ok(content.length > 2 * piece)
  for (const joint of [piece, 2 * piece]) {
    for (let cut = joint - 130; cut <= joint + 130; cut++) {
      if (cut % cutStep !== 0 && Math.abs(cut - joint) > near) continue
      const reading = await bench.read(content.subarray(0, cut))
      assert.equal(fault(reading), null, `cut at ${cut}`)
      const endings = content.subarray(0, cut).toString('latin1').split('\n').length - 1
      assert.ok(reading.records.length === endings - 1 || reading.records.length === endings, `cut at ${cut}`)
    }
  }
})
