import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bytesOfPart, recordLimit, requireMemory } from '../../src/conversations/memory.ts'
import { subjectConversations, subjectRecords } from '../../src/conversations/subject.ts'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { openCase } from '../../src/store/case.ts'

test('conversations that need more memory than there is are refused, with both figures', () => {
  assert.doesNotThrow(() => requireMemory(100_000_000, 2 ** 31, 2 ** 31))
  assert.throws(
    () => requireMemory(100_000_000, bytesOfPart(50_000_000), 2 ** 31),
    (error: unknown) =>
      error instanceof UserError &&
      error.message ===
        'too little memory for the conversations of all 100,000,000 records: about 7.5 GiB are needed, 2.0 GiB are free' &&
      error.hint?.includes('tidemark investigate') === true,
  )
})

/** A host without TCP flags that 50 clients ask, and that another host asks 100 times. */
const log = [
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status',
  ...Array.from(
    { length: 150 },
    (_, i) =>
      `2 1 eni-1 ${i < 50 ? `203.0.113.${i}` : '198.51.100.1'} 10.0.0.9 ${3000 + i} 8080 6 5 500 ${1695921755 + i} ${1695921760 + i} ACCEPT OK`,
  ),
]

test('the records of addresses that are more than there is memory for are refused while they are read', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tidemark-memory-'))
  writeFileSync(join(root, 'a.log'), `${log.join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'a.log')], workers: 1 })
  const c = await openCase(join(root, 'case'))
  const refusal = (error: unknown): boolean =>
    error instanceof UserError &&
    /^too little memory for the records of these addresses: there are more than \d+, and about 0\.0 GiB are free for them$/.test(
      error.message,
    ) &&
    error.hint?.includes('fewer addresses') === true
  const bytes = (records: number): number => 400 * records
  try {
    const [all, one] = [[parsePrefix('10.0.0.9')!], [parsePrefix('203.0.113.7')!]]
    await assert.rejects(subjectRecords(c, all, { limit: recordLimit(bytes(149)) }), refusal)
    assert.equal((await subjectRecords(c, all, { limit: recordLimit(bytes(150)) })).block.rows, 150)
    // To tell who listens, the others of the server are read too: they count as well.
    const asking = async (free: number) =>
      subjectConversations(c, await subjectRecords(c, one, { limit: recordLimit(free) }), one, [])
    await assert.rejects(asking(bytes(149)), refusal)
    assert.equal((await asking(bytes(150))).table.count, 1)
  } finally {
    await c.close()
    rmSync(root, { recursive: true, force: true })
  }
})
