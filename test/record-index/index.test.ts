import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { type BuildLimits, buildIndex } from '../../src/record-index/build.ts'
import type { Evidence } from '../../src/record-index/projection.ts'
import { type BlockColumn, RecordIndex } from '../../src/record-index/read.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { SectionFile } from '../../src/store/section-file.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { setting } from '../robustness/support.ts'
import { linesBySql, linesOf } from './records.ts'

const all: BlockColumn[] = [
  ...(['source', 'destination', 'sourceSeen', 'destinationSeen', 'sourcePort', 'destinationPort'] as const),
  ...(['protocol', 'tcpFlags', 'icmpType', 'action', 'packets', 'bytes', 'start_us', 'end_us'] as const),
  ...(['vantage', 'known', 'file', 'line'] as const),
]

async function indexLines(c: Case, evidence: Evidence, limits?: BuildLimits): Promise<string[]> {
  const path = join(c.temp, 'index')
  await buildIndex(c, evidence, path, limits)
  const file = new SectionFile(path)
  try {
    const index = new RecordIndex(file)
    const lines: string[] = []
    for await (const block of index.blocks(all)) lines.push(...linesOf(block, index.dictionaries))
    assert.equal(lines.length, index.rows)
    return lines
  } finally {
    file.close()
    await rm(path)
  }
}

test('the index of a case has the records that plain SQL finds, in the same order', async () => {
  const folders = setting('RECORD_FOLDERS', 12)
  for (let seed = 101; seed <= 100 + folders; seed++) {
    const root = await mkdtemp(join(tmpdir(), 'tidemark-index-'))
    try {
      writeRandomFolder(join(root, 'logs'), seed)
      await addEvidence({ case: join(root, 'case'), paths: [join(root, 'logs')], workers: 1 })
      const c = await openCase(join(root, 'case'))
      try {
        const wanted = await linesBySql(c, 'logs')
        assert.deepEqual(await indexLines(c, 'logs'), wanted, `seed ${seed}`)
        // So few at once that buckets are divided, and wait in a file.
        assert.deepEqual(await indexLines(c, 'logs', { bucketRows: 7, waitingBytes: 0 }), wanted, `seed ${seed}`)
      } finally {
        await c.close()
      }
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  }
})
