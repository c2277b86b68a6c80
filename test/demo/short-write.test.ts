import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PayloadPool } from '../../src/demo/payload.ts'
import { PcapFile } from '../../src/demo/pcap-file.ts'

test('a capture is whole where the system takes a part of a write', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-short-write-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'a.pcap')
  const file = await open(path, 'w')
  // Only what asks for a single write is cut: what writes all goes on by itself.
  const write = file.write.bind(file)
  file.write = ((bytes: Buffer, at: number, length: number) =>
    write(bytes, at, Math.min(length, 10))) as typeof file.write
  const pcap = new PcapFile(file, 96, new PayloadPool(1))
  await pcap.flush()
  await file.close()
  assert.equal(readFileSync(path).length, 24)
})
