import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { rawSql, sql } from '../../src/query/sql.ts'
import { readBlock } from '../../src/record-index/question.ts'
import { openCase } from '../../src/store/case.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { setting } from '../robustness/support.ts'
import { linesBySql, linesOf } from './records.ts'

test('the records of a question are those that plain SQL finds, in the same order', async () => {
  const folders = setting('RECORD_FOLDERS', 12)
  for (let seed = 1; seed <= folders; seed++) {
    const root = await mkdtemp(join(tmpdir(), 'tidemark-records-'))
    try {
      writeRandomFolder(join(root, 'logs'), seed)
      await addEvidence({ case: join(root, 'case'), paths: [join(root, 'logs')], workers: 1 })
      const c = await openCase(join(root, 'case'))
      try {
        for (const where of ['true', 'dstport < 1024', 'false']) {
          const { block, dictionaries } = await readBlock(c, rawSql(where))
          const wanted = await linesBySql(c, c.source, where)
          assert.deepEqual(linesOf(block, dictionaries), wanted, `seed ${seed}, ${where}`)
        }
        const { block } = await readBlock(c, sql`dstport = ${443}`)
        assert(block.destinationPort.every(port => port === 443))
      } finally {
        await c.close()
      }
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  }
})
