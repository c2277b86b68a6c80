import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { defaultLimits, Expanded } from '../../src/input/expand.ts'
import { compressionOf } from '../../src/input/sniff.ts'
import { type Chance, chanceFrom, logOf, setting } from '../robustness/support.ts'

const mutations = setting('PACKED_MUTATIONS', 500)

/** What a program of this machine makes of its input; null where there is no such program. */
function packedBy(command: string, args: string[], input: Uint8Array): Buffer | null {
  const { status, stdout } = spawnSync(command, [...args, '-c'], { input, maxBuffer: 1 << 28 })
  return status === 0 ? stdout : null
}

interface Unpacked {
  content: Buffer
  problem: string | null
  offset: number
}

async function unpack(file: Uint8Array, ratioMax = 1e6, pieceBytes = file.length): Promise<Unpacked> {
  const open = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < file.length; at += pieceBytes) {
      // A piece is there until the next one is asked for: after it, its memory is another's.
      const piece = Uint8Array.from(file.subarray(at, at + pieceBytes))
      yield piece
      piece.fill(0xaa)
    }
  }
  const expanded = new Expanded(open, compressionOf(file), file.length, { ...defaultLimits, ratioMax })
  const parts: Uint8Array[] = []
  for await (const piece of expanded) parts.push(piece.slice())
  const content = Buffer.concat(parts)
  if (expanded.damage?.problem.startsWith('stopped') !== true) assert.equal(content.length, expanded.bytes)
  return { content, problem: expanded.damage?.problem ?? null, offset: expanded.damage?.offset ?? -1 }
}

const noise = (chance: Chance, length: number): Buffer => Buffer.from(Array.from({ length }, () => chance.int(0, 255)))
const chance = chanceFrom(11)
const contents: [what: string, bytes: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['a log', Buffer.from(logOf(5000))],
  ['noise', noise(chance, 300_000)],
  ['runs', Buffer.alloc(3_000_000, 'a')],
  [
    'a log, noise and runs',
    Buffer.concat([Buffer.from(logOf(500)), noise(chance, 70_000), Buffer.alloc(70_000), Buffer.from(logOf(900))]),
  ],
]
const ways: [command: string, args: string[]][] = [
  ...['-0', '-6', '-9e'].map((level): [string, string[]] => ['xz', [level]]),
  ...['none', 'crc32', 'sha256'].map((check): [string, string[]] => ['xz', ['-1', '-C', check]]),
  ['xz', ['--lzma2=preset=4,lc=1,lp=3,pb=0']],
  ['xz', ['--lzma2=preset=1,dict=4096,pb=4']],
  ['xz', ['-T2', '--block-size=20000']],
  ['bzip2', ['-1']],
  ['bzip2', ['-9']],
]

for (const [command, args] of ways) {
  test(`unpacks what ${[command, ...args].join(' ')} packs`, async t => {
    for (const [what, bytes] of contents) {
      const file = packedBy(command, args, bytes)
      if (file === null) return t.skip(`no ${command} here`)
      for (const pieceBytes of [file.length + 1, 1000]) {
        const { content, problem } = await unpack(file, undefined, pieceBytes)
        assert.equal(problem, null, what)
        assert.ok(content.equals(bytes), what)
      }
    }
  })
}

for (const command of ['xz', 'bzip2']) {
  const bytes = Buffer.from(logOf(4000))

  test(`${command}: several streams after each other are one content, what follows is named`, async t => {
    const file = packedBy(command, ['-1'], bytes)
    if (file === null) return t.skip(`no ${command} here`)
    const padded = command === 'xz' ? [file, Buffer.alloc(8), file] : [file, file]
    const both = await unpack(Buffer.concat(padded))
    assert.deepEqual([both.problem, both.content.length], [null, 2 * bytes.length])
    const more = await unpack(Buffer.concat([file, Buffer.from('and then something that is not packed at all')]))
    assert.equal(more.content.length, bytes.length)
    assert.match(more.problem ?? '', new RegExp(`^${command}: .*; what came before is kept$`))
    assert.equal(more.offset, file.length)
  })

  test(`${command}: what is cut gives what came before, and says that it is cut`, async t => {
    const file = packedBy(command, command === 'xz' ? ['-1', '--block-size=50000'] : ['-1'], bytes)
    if (file === null) return t.skip(`no ${command} here`)
    for (let part = 1; part < 7; part++) {
      const length = Math.floor((file.length * part) / 7)
      const { content, problem, offset } = await unpack(file.subarray(0, length))
      assert.equal(problem, `${command}: the file is cut short; what came before is kept`)
      assert.ok(content.equals(bytes.subarray(0, content.length)))
      assert.ok(offset <= length)
    }
  })

  test(`${command}: no mutant gives other bytes in silence`, async t => {
    const file = packedBy(command, command === 'xz' ? ['-1', '--block-size=5000'] : ['-1'], Buffer.from(logOf(200)))
    if (file === null) return t.skip(`no ${command} here`)
    const sound = (await unpack(file)).content
    const random = chanceFrom(5)
    for (let i = 0; i < mutations; i++) {
      const mutant = Buffer.from(file)
      for (let n = random.int(0, 3); n >= 0; n--) mutant[10 + random.int(0, mutant.length - 11)] = random.int(0, 255)
      const cut = random.int(0, 3) === 0 ? mutant.subarray(0, 10 + random.int(0, mutant.length - 11)) : mutant
      const { content, problem } = await unpack(cut, 1000)
      if (problem === null) assert.ok(content.equals(sound), `mutant ${i}`)
    }
  })

  test(`${command}: a bomb stops at the limit`, async t => {
    const file = packedBy(command, ['-1'], Buffer.alloc(96 << 20))
    if (file === null) return t.skip(`no ${command} here`)
    const before = process.memoryUsage().rss
    const { content, problem } = await unpack(file, 200)
    assert.match(problem ?? '', /^stopped: it expands more than 200:1/)
    assert.ok(content.length <= 64 << 20)
    assert.ok(process.memoryUsage().rss - before < 400 << 20)
  })
}

test('xz: what asks for more memory than it may have, or for a filter, is told with the way out', async t => {
  const large = packedBy('xz', ['--lzma2=preset=0,dict=1GiB'], Buffer.from('x'))
  if (large === null) return t.skip('no xz here')
  assert.match((await unpack(large)).problem ?? '', /dictionary of 1073741824 bytes.*unpack it \(xz -d\)/)
  const filtered = packedBy('xz', ['--x86', '--lzma2=preset=0'], Buffer.from('x'))!
  assert.match((await unpack(filtered)).problem ?? '', /the filter x86, which this version does not read/)
})
