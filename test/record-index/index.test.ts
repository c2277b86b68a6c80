import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { rawSql } from '../../src/query/sql.ts'
import { type BuildLimits, buildIndex } from '../../src/record-index/build.ts'
import { readBlock } from '../../src/record-index/question.ts'
import { type BlockColumn, RecordIndex } from '../../src/record-index/read.ts'
import type { EvidenceKind } from '../../src/records/evidence-kind.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { SectionFile } from '../../src/store/section-file.ts'
import { randomFrom } from '../filter/flows.ts'
import { caseOf, workFolder, writeRandomNfcapd } from '../flows/support.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { logOf, setting } from '../robustness/support.ts'
import { linesBySql, linesOf } from './records.ts'

const all: BlockColumn[] = [
  ...(['source', 'destination', 'sourceSeen', 'destinationSeen', 'sourcePort', 'destinationPort'] as const),
  ...(['protocol', 'tcpFlags', 'icmpType', 'action', 'packets', 'bytes', 'start_us', 'end_us'] as const),
  ...(['vantage', 'known', 'file', 'line'] as const),
]
/** So few at once that buckets are divided, and wait in a file. */
const narrow: BuildLimits = { bucketRows: 7, waitingBytes: 0 }
/** The same in other threads. */
const threaded: BuildLimits = { ...narrow, threads: 2 }

async function withIndex<T>(
  c: Case,
  evidence: EvidenceKind,
  work: (index: RecordIndex) => Promise<T>,
  limits?: BuildLimits,
): Promise<T> {
  const path = join(c.temp, 'index')
  await buildIndex(c, evidence, path, limits)
  const file = new SectionFile(path)
  try {
    return await work(new RecordIndex(file))
  } finally {
    file.close()
    await rm(path)
  }
}

async function indexLines(c: Case, evidence: EvidenceKind, limits?: BuildLimits): Promise<string[]> {
  const work = async (index: RecordIndex): Promise<string[]> => {
    const lines: string[] = []
    for await (const block of index.blocks(all)) lines.push(...linesOf(block, index.dictionaries))
    assert.equal(lines.length, index.rows)
    return lines
  }
  return withIndex(c, evidence, work, limits)
}

/** The index, in both sizes of its buckets, and the records of a question against plain SQL. */
async function agree(c: Case, evidence: EvidenceKind): Promise<string[]> {
  const wanted = await linesBySql(c, evidence)
  assert.deepEqual(await indexLines(c, evidence), wanted)
  for (const limits of [narrow, threaded]) assert.deepEqual(await indexLines(c, evidence, limits), wanted)
  const { block, dictionaries } = await readBlock(c, rawSql('true'), { evidence })
  assert.deepEqual(linesOf(block, dictionaries), wanted)
  return wanted
}

async function withLogs(files: Record<string, string>, work: (c: Case) => Promise<void>): Promise<void> {
  const { root, close } = workFolder()
  mkdirSync(join(root, 'logs'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'logs', name), text)
  const c = await caseOf(root, [join(root, 'logs')])
  try {
    await work(c)
  } finally {
    await c.close()
    close()
  }
}

test('the index of a case has the records that plain SQL finds, in the same order', async () => {
  const folders = setting('RECORD_FOLDERS', 12)
  for (let seed = 101; seed <= 100 + folders; seed++) {
    const { root, close } = workFolder()
    writeRandomFolder(join(root, 'logs'), seed)
    const c = await caseOf(root, [join(root, 'logs')])
    try {
      await agree(c, 'logs')
    } finally {
      await c.close()
      close()
    }
  }
})

test('records without times, ports, addresses or counters are as they are', async () => {
  const short =
    'version interface-id srcaddr dstaddr bytes log-status\n2 eni-1 10.0.0.1 - 7 OK\n2 eni-2 - - 8 OK\n2 - 10.0.0.3 - - OK\n'
  const none = 'version account-id interface-id dstport action log-status\n2 1 eni-1 443 ACCEPT OK\n2 1 eni-1 - - OK\n'
  await withLogs({ 'short.log': short, 'none.log': none }, async c => {
    const lines = await agree(c, 'logs')
    assert.equal(lines.length, 5)
    assert(lines.every(line => line.includes(' - ')))
  })
})

test('counters are exact up to the largest that 64 bits hold', async () => {
  const header = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end'
  const counters = ['4294967294', '4294967295', '4294967296', '18446744073709551615', '0', '9007199254740993']
  const text = counters.flatMap((one, i) =>
    counters.map((other, j) => `eni-1 10.0.0.1 2001:db8::${i + 1} ${i} ${j} 6 ${one} ${other} 1700000000 1700000060`),
  )
  await withLogs({ 'a.log': `${[header, ...text].join('\n')}\n` }, async c => {
    const lines = await agree(c, 'logs')
    for (const one of counters.filter(text => text !== '0'))
      assert.equal(lines.filter(line => line.includes(` ${one} `)).length, 11)
  })
})

test('flows of packets have their capture as sensor, and ICMP types; both kinds of one case are apart', async () => {
  const { root, close } = workFolder()
  writeRandomNfcapd(join(root, 'nfcapd.1'), 3000, 1)
  writeRandomNfcapd(join(root, 'nfcapd.2'), 3000, 2)
  const c = await caseOf(root, [join(root, 'nfcapd.1'), join(root, 'nfcapd.2')])
  await agree(c, 'packets')
  await c.close()
  writeRandomFolder(join(root, 'logs'), 3)
  const both = await caseOf(root, [join(root, 'logs')])
  try {
    assert.equal(both.source, 'logs')
    await agree(both, 'logs')
    assert.equal((await agree(both, 'packets')).length, 6000)
  } finally {
    await both.close()
    close()
  }
})

test('a range of time gives the blocks with its records, and columns that are asked for', async () => {
  const { root, close } = workFolder()
  for (let i = 0; i < 4; i++) writeRandomNfcapd(join(root, `nfcapd.${i}`), 50_000, i)
  const c = await caseOf(root, [root])
  try {
    await withIndex(c, 'packets', async index => {
      const starts: number[] = []
      for await (const block of index.blocks(['start_us'])) {
        assert.equal(block.bytes.length, 0)
        starts.push(...block.start_us)
      }
      assert.equal(starts.length, 200_000)
      const from_us = starts[150_000]!
      const to_us = starts[160_000]!
      let rows = 0
      let within = 0
      for await (const { start_us } of index.blocks(['start_us'], { from_us, to_us })) {
        rows += start_us.length
        within += start_us.filter(start => start >= from_us && start < to_us).length
      }
      assert.equal(rows, 65_536)
      assert.equal(within, starts.filter(start => start >= from_us && start < to_us).length)
    })
  } finally {
    await c.close()
    close()
  }
})

/** The bytes of the sections, by their columns, without those that tell where a record stands. */
async function bytesOf(c: Case): Promise<string[]> {
  const lines = await indexLines(c, 'logs')
  // Records that differ in their places only may change them.
  return lines.map(line => line.replace(/^\d+ \d+ /, ''))
}

test('threads, the order of files and how records are split into files change nothing but places', async () => {
  const random = randomFrom(7)
  const header = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags'
  const one = (n: number): number => Math.floor(random() * n)
  const records = Array.from({ length: 3000 }, () => {
    const start = 1_700_000_000 + one(50)
    return `eni-${one(3)} 10.0.0.${one(5)} 10.0.1.${one(5)} ${one(3)} ${one(3)} 6 ${one(4)} ${one(4)} ${start} ${start + one(60)} ${['ACCEPT', 'REJECT'][one(2)]} ${[2, 18, 1][one(3)]}`
  })
  const file = (some: string[]): string => `${[header, ...some].join('\n')}\n`
  const shuffled = records.map(text => ({ text, key: random() })).sort((a, b) => a.key - b.key)
  const variants: Record<string, string>[] = [
    { 'a.log': file(records) },
    { 'a.log': file(shuffled.map(({ text }) => text)) },
    Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`${9 - i}.log`, file(records.filter((_, at) => at % 9 === i))]),
    ),
  ]
  let wanted: string[] | null = null
  for (const variant of variants) {
    await withLogs(variant, async c => {
      for (const threads of [1, 2]) {
        const again = await openCase(c.dir, { threads })
        try {
          const bytes = await bytesOf(again)
          wanted ??= bytes
          assert.deepEqual(bytes, wanted)
          const path = join(again.temp, 'bytes')
          await buildIndex(again, 'logs', path)
          for (const [i, limits] of [narrow, threaded, { ...narrow, waitingBytes: 1 << 20, threads: 1 }].entries()) {
            await buildIndex(again, 'logs', `${path}-${i}`, limits)
            assert(readFileSync(path).equals(readFileSync(`${path}-${i}`)), 'the same to the byte')
          }
        } finally {
          await again.close()
        }
      }
    })
  }
})

test('records that wait in a file are those of the index; where it cannot be written, the reason is told, whoever writes it', async () => {
  await withLogs({ 'a.log': logOf(20_000) }, async c => {
    const path = join(c.temp, 'index')
    await buildIndex(c, 'logs', path)
    const nowhere: Case = { ...c, temp: join(c.temp, 'no-such-folder') }
    for (const threads of [0, 1, 2]) {
      for (const bucketRows of [1000, 1 << 16]) {
        const again = `${path}-${threads}-${bucketRows}`
        await buildIndex(c, 'logs', again, { bucketRows, waitingBytes: 0, threads })
        assert(readFileSync(path).equals(readFileSync(again)))
      }
      const refused = buildIndex(nowhere, 'logs', `${path}-nowhere`, { bucketRows: 1 << 16, waitingBytes: 0, threads })
      await assert.rejects(refused, { code: 'ENOENT', syscall: 'open' })
      await rm(`${path}-nowhere`)
    }
  })
})
