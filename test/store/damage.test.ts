import assert from 'node:assert/strict'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { tidemark } from '../cli/run.ts'
import { ethernet, ipv4, pcap, udp } from '../packet/build.ts'
import { folderFor, logOf } from '../robustness/support.ts'

/** A case with segments of logs, of packets, and of problems. */
async function makeCase(t: TestContext): Promise<string> {
  const root = folderFor(t)
  const packet = ethernet(0x0800, ipv4({ protocol: 17 }, udp(1024, 53)))
  writeFileSync(join(root, 'x.pcap'), pcap([{ bytes: packet }]))
  writeFileSync(join(root, 'a.log'), `${logOf(3000)}no record\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'a.log'), join(root, 'x.pcap')], workers: 1 })
  return join(root, 'case')
}

function segment(dir: string, kind: string): string {
  return join(dir, 'segments', readdirSync(join(dir, 'segments')).find(name => name.startsWith(kind))!)
}

/** Overwrites the begin of a column's data. */
async function spoil(path: string, column: string): Promise<void> {
  const db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
  const [row] = await db.rows(
    `SELECT data_page_offset AS at FROM parquet_metadata(${quotedString(path)}) WHERE path_in_schema = '${column}' LIMIT 1`,
  )
  db.close()
  const bytes = readFileSync(path)
  bytes.fill(0xff, Number(row!['at']), Number(row!['at']) + 16)
  writeFileSync(path, bytes)
}

/** Loses the footer. */
function zeroEnd(path: string): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0, bytes.length - 300))
}

test('a damaged segment is named by every command that meets it, as damage and not as a bug', async t => {
  const original = await makeCase(t)
  const root = folderFor(t)
  const out = join(root, 'out.pcapng')
  const cases: [string, (dir: string) => void | Promise<void>, string[]][] = [
    ['flows', dir => spoil(segment(dir, 'flows'), 'bytes'), ['flows', '-s', 'dstip/bytes']],
    ['flows', dir => spoil(segment(dir, 'flows'), 'bytes'), ['investigate', '198.51.100.7']],
    ['flows', dir => spoil(segment(dir, 'flows'), 'bytes'), ['sql', 'SELECT sum(bytes) FROM flows']],
    ['packet-flows', dir => spoil(segment(dir, 'packet-flows'), 'dstport'), ['carve', 'port 53', '-o', out]],
    ['flows', dir => truncateSync(segment(dir, 'flows'), 500), ['flows']],
    ['flows', dir => zeroEnd(segment(dir, 'flows')), ['flows']],
    ['problems', dir => writeFileSync(segment(dir, 'problems'), '{"broken'), ['evidence']],
    ['problems', dir => writeFileSync(segment(dir, 'problems'), '{"_file":1,"line":2}\n'), ['flows']],
    ['problems', dir => rmSync(segment(dir, 'problems')), ['evidence']],
  ]
  for (const [kind, damage, command] of cases) {
    const dir = join(root, 'case')
    cpSync(original, dir, { recursive: true })
    await damage(dir)
    const run = tidemark([...command, '--case', dir])
    const where = `${command.join(' ')}: ${run.status} ${run.stderr}`
    assert.equal(run.status, 1, where)
    assert.ok(run.stderr.includes(`segments/${kind}-`), where)
    assert.match(run.stderr, /hint: tidemark verify/, where)
    rmSync(dir, { recursive: true })
  }
})

test('verify says nothing of a file that it may not read: neither altered nor missing', async t => {
  const dir = await makeCase(t)
  const isRoot = process.geteuid!() === 0
  for (const path of [segment(dir, 'flows'), join(dir, 'README.txt')]) {
    chmodSync(path, 0)
    // For root, permissions are no hindrance.
    if (isRoot) {
      for (const folder of [dir, join(dir, '..')]) chmodSync(folder, 0o755)
      process.seteuid!(65534)
    }
    try {
      await assert.rejects(verifyCase(dir), /EACCES/)
    } finally {
      if (isRoot) process.seteuid!(0)
      chmodSync(path, 0o644)
    }
  }
  assert.equal((await verifyCase(dir)).intact, true)
})
