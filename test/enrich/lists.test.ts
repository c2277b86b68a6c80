import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadEnrichment } from '../../src/enrich/enrichment.ts'
import { parseAddress } from '../../src/net/address.ts'
import { microsecondsOf } from '../../src/net/time.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-enrich-'))
after(() => rmSync(folder, { recursive: true }))

const noon = microsecondsOf('2023-09-28T12:00:00Z')

/** A list with that content, loaded. */
async function loaded(name: string, content: string | Buffer) {
  const path = join(folder, name)
  writeFileSync(path, content)
  const enrichment = await loadEnrichment({ lists: [path] })
  const match = (address: string, from_us = noon, to_us = from_us) => {
    const { hi, lo } = parseAddress(address)!
    return enrichment.listsOf(hi, lo, from_us, to_us)[0] ?? null
  }
  /** The line whose entry holds the address; 0 for an entry without one. */
  const line = (address: string, from_us = noon, to_us = from_us): number | null => {
    const found = match(address, from_us, to_us)
    return found === null ? null : (found.line ?? 0)
  }
  return { path, match, line, file: enrichment.files[0]!, problems: enrichment.problems }
}

test('reads addresses, prefixes and ranges of a plain list, and tells the line of each', async () => {
  const { line, match, file, problems } = await loaded(
    'bad.txt',
    '\ufeff# Last updated: 2023-09-27 05:30:00 UTC\r\n203.0.113.7\r\n198.51.100.0/24 ; SBL1\n2001:db8::/32\n192.0.2.10 - 192.0.2.20\n\n198.51.100.9\n',
  )
  assert.deepEqual(problems, [])
  assert.equal(file.entries, 5)
  assert.equal(file.dated, '2023-09-27T05:30:00Z')
  assert.deepEqual(
    ['203.0.113.7', '198.51.100.1', '198.51.100.9', '2001:db8::1', '192.0.2.10', '192.0.2.20'].map(one => line(one)),
    [2, 3, 7, 4, 5, 5],
  )
  assert.deepEqual(
    ['203.0.113.8', '192.0.2.9', '192.0.2.21', '2001:db9::'].map(one => line(one)),
    [null, null, null, null],
  )
  const found = match('198.51.100.1')!
  assert.deepEqual([found.list, found.entry, found.note], ['bad', '198.51.100.0/24', 'SBL1'])
})
