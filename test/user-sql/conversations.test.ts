import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { QuerySession } from '../../src/user-sql/session.ts'
import { captureOf, talk } from '../handmade.ts'
import { ask, value } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-sql-conversations-'))
after(() => rmSync(folder, { recursive: true }))
const header =
  'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags pkt-srcaddr pkt-dstaddr'
// Line 2, 3: a session; 4, 5: the same at the other interface, behind a hop; 6: a probe that was stopped; 7: nobody knows who.
const lines = [
  header,
  'eni-a 10.0.0.9 10.0.0.5 40000 22 6 10 840 1700000000 1700000050 ACCEPT 2 192.0.2.1 10.0.0.5',
  'eni-a 10.0.0.5 10.0.0.9 22 40000 6 8 9000 1700000000 1700000051 ACCEPT 18 10.0.0.5 192.0.2.1',
  'eni-b 192.0.2.1 10.0.0.5 40000 22 6 10 839 1700000000 1700000050 ACCEPT 3 192.0.2.1 10.0.0.5',
  'eni-b 10.0.0.5 192.0.2.1 22 40000 6 8 8999 1700000000 1700000050 ACCEPT 18 10.0.0.5 192.0.2.1',
  'eni-a 192.0.2.7 10.0.0.5 50000 8022 6 1 40 1700000100 1700000110 REJECT - 192.0.2.7 10.0.0.5',
  'eni-a 10.0.0.5 203.0.113.5 123 123 17 1 76 1700000100 1700000110 ACCEPT - 10.0.0.5 203.0.113.5',
  'eni-a 203.0.113.5 10.0.0.5 123 123 17 1 76 1700000100 1700000110 ACCEPT - 203.0.113.5 10.0.0.5',
]
writeFileSync(join(folder, 'a.log'), `${lines.join('\n')}\n`)
writeFileSync(
  join(folder, 'a.pcap'),
  captureOf(
    talk({ at: 1_700_000_000, client: '203.0.113.9 4000', server: '10.0.0.5 22', request: 400, answer: 900 }),
    65_535,
    [],
  ),
)
const caseDir = join(folder, 'case')
await addEvidence({ case: caseDir, paths: [join(folder, 'a.log'), join(folder, 'a.pcap')], workers: 1 })
const session = new QuerySession(caseDir)
after(() => session.close())

test('connections are those of logs and those of captures, told apart', async () => {
  const { rows } = await ask(
    session,
    `SELECT evidence, ip4(orig_addr), orig_port, ip4(resp_addr), resp_port, role_basis, role_confidence, state, records, rejected,
      orig_records, orig_packets, orig_ip_bytes, resp_ip_bytes, orig_flags, resp_flags, ip4(orig_seen), sensors, _line
     FROM connections ORDER BY evidence, start, resp_port`,
  )
  assert.deepEqual(rows.slice(0, 3), [
    [
      ...['logs', '192.0.2.1', 40000, '10.0.0.5', 22, 'syn', 0.98, 'answered', 2, 0],
      ...[1, 10, 840, 9000, 2, 18, '10.0.0.9', ['eni-a'], 2],
    ],
    [
      ...['logs', '203.0.113.5', 123, '10.0.0.5', 123, 'unknown', 0.5, 'answered', 2, 0],
      ...[1, 1, 76, 76, null, null, '', ['eni-a'], 7],
    ],
    [
      ...['logs', '192.0.2.7', 50000, '10.0.0.5', 8022, 'rejected-attempt', 0.8, 'rejected', 1, 1],
      ...[1, 0, 0, 0, null, 0, '', ['eni-a'], 6],
    ],
  ])
  assert.deepEqual(rows[3]!.slice(0, 5), ['packets', '203.0.113.9', 4000, '10.0.0.5', 22])
  assert.equal(rows.length, 4)
})

test('what counts once comes to the same in SQL and in flows', async () => {
  const c = await openCase(caseDir)
  try {
    const result = await queryFlows(c, { by: [] })
    const sums: unknown[] = []
    for await (const { records, bytes } of result.rows()) sums.push([Number(records), Number(bytes)])
    const counted = await ask(
      session,
      `SELECT count(*), sum(CASE WHEN action = 'ACCEPT' THEN bytes ELSE 0 END) FROM counted_flows`,
    )
    assert.deepEqual(
      counted.rows.map(row => row.map(Number)),
      sums,
    )
  } finally {
    await c.close()
  }
  assert.equal(
    await value(session, "SELECT sum(bytes) FROM counted_flows WHERE role = 'client' AND service = 'ssh'"),
    840,
  )
})
