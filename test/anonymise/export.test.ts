import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { CryptoPan } from '../../src/anonymise/crypto-pan.ts'
import { LAB_FOLDER } from '../../src/demo/lab.ts'
import { exportCase } from '../../src/export/export.ts'
import type { ExportFormat, OneKind } from '../../src/export/formats.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { type Address, formatAddress } from '../../src/net/address.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'

const key = '32-char-str-for-AES-key-and-pad.'
const pan = new CryptoPan(Buffer.from(key))
const change = (address: Address): Address => pan.address(address)

const root = mkdtempSync(join(tmpdir(), 'tidemark-anonymised-'))
const caseDir = join(root, 'case')
let c: Case
/** All addresses of the lab, and their other names. */
const own = new Set<string>()
const others = new Set<string>()

before(async () => {
  await copyLab(root)
  await addEvidence({ case: caseDir, paths: [join(root, LAB_FOLDER)] })
  c = await openCase(caseDir)
  const rows = await c.db.rows(
    'SELECT DISTINCT a.hi AS hi, a.lo AS lo FROM (SELECT srcaddr AS a FROM flows UNION ALL SELECT dstaddr FROM flows)',
  )
  for (const row of rows) {
    const address = { hi: BigInt(row['hi'] as bigint), lo: BigInt(row['lo'] as bigint) }
    const changed = change(address)
    own.add(formatAddress(address.hi, address.lo))
    others.add(formatAddress(changed.hi, changed.lo))
  }
})
after(async () => {
  await c.close()
  rmSync(root, { recursive: true, force: true })
})

/** Addresses of the lab that stand in a text, and are not what another one became. */
function shownIn(text: string): string[] {
  const found = new Set(text.match(/(?<![\d.])\d{1,3}(?:[.-]\d{1,3}){3}(?![\d.])/g))
  return [...found].map(quad => quad.replaceAll('-', '.')).filter(quad => own.has(quad) && !others.has(quad))
}

async function exported(to: ExportFormat, what: OneKind, changed: boolean): Promise<string> {
  const out = join(root, `${to}-${what}-${changed}`)
  // Not all: it is a lot of text.
  const part = what === 'findings' ? {} : { filter: 'port 22 or port 8889' }
  await exportCase(c, { to, what, out, force: true, ...part, ...(changed && { change }) })
  return readFileSync(out, 'utf8')
}

const kinds: Record<ExportFormat, readonly OneKind[]> = {
  ocsf: ['connections', 'findings', 'records'],
  ecs: ['connections', 'findings', 'records'],
  stix: ['findings'],
  sigma: ['findings'],
  guardduty: ['findings'],
  csv: ['connections', 'findings', 'records'],
  ndjson: ['findings', 'records'],
  'conn-log': ['connections'],
}

for (const format of Object.keys(kinds) as ExportFormat[])
  test(`no address of the lab is in ${format}, where they are replaced`, async () => {
    assert.ok(own.size > 3000)
    for (const what of kinds[format]) {
      const text = await exported(format, what, true)
      assert.deepEqual(shownIn(text).slice(0, 5), [], what)
      assert.ok(text.length > 1000 && [...others].some(one => text.includes(one)), what)
      if (format === 'ndjson') assert.ok(shownIn(await exported(format, what, false)).includes('20.106.124.93'), what)
    }
  })

test('the order of connections tells nothing of what the addresses were', async () => {
  const text = await exported('csv', 'connections', true)
  const rows = text.trimEnd().split('\n').slice(1)
  const starts = rows.map(row => /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(row)![0])
  assert.ok(starts.length > 100)
  // The lab is one block: all in the order of time.
  assert.deepEqual(starts, [...starts].sort())
})

test('the hosts of findings are in the order of their other addresses', async () => {
  const text = await exported('ndjson', 'findings', true)
  const lists = text
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { peers?: string[] }).peers ?? [])
  assert.ok(lists.some(peers => peers.length > 2))
  for (const peers of lists) assert.deepEqual(peers, [...peers].sort())
})

test('the command replaces them by the key in a file, as convert does', () => {
  const keyFile = join(root, 'flows.key')
  writeFileSync(keyFile, key, { mode: 0o600 })
  const args = ['export', '--to', 'csv', '--what', 'records', 'port 8889', '--case', caseDir, '--anonymise', keyFile]
  const { status, stdout, stderr } = tidemark(args)
  assert.equal(status, 0)
  assert.match(stderr, /ids of accounts, interfaces, .* are as in the evidence/)
  assert.doesNotMatch(tidemark(args.slice(0, -2)).stderr, /are as in the evidence/)
  assert.deepEqual(shownIn(stdout), [])
  const { lo } = pan.address({ hi: 0n, lo: 0xffff_0a82_085en })
  assert.ok(stdout.includes(formatAddress(0n, lo)))
  assert.ok(!`${stdout}${stderr}`.includes(key))
  const wrong = tidemark([...args.slice(0, -1), join(root, 'none')])
  assert.deepEqual([wrong.status, wrong.stdout], [2, ''])
})
