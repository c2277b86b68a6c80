import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SectionFile, SectionWriter } from '../../src/store/section-file.ts'

test('a file whose description names hundreds of thousands of networks is read again', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-sections-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const about = Buffer.from(JSON.stringify(Array.from({ length: 300_000 }, (_, i) => `10.${i}/24`)))
  const writer = new SectionWriter(join(folder, 'a'))
  writer.add(Buffer.from('some'))
  writer.finish(about)
  const file = new SectionFile(join(folder, 'a'))
  t.after(() => file.close())
  file.check()
  assert.ok(Buffer.from(file.about).equals(about))
})
