import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { at4, noConnection } from '../../src/conversations/connection-table.ts'
import { fate } from '../../src/conversations/fates.ts'
import { judgeRecords, withRoles } from '../../src/conversations/roles.ts'
import { subjectConversations, subjectRecords } from '../../src/conversations/subject.ts'
import { compile } from '../../src/filter/compile.ts'
import { contextOf, countMatches, recordsFor } from '../../src/filter/context.ts'
import { parse } from '../../src/filter/filter.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { hasPorts } from '../../src/net/protocols.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { temporaryFolder } from '../cli/run.ts'
import { ask, captureOf, talk } from '../handmade.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { ethernet, ipv4, type Record as PcapRecord } from '../packet/build.ts'

const folders = Number(process.env['TIDEMARK_ROLE_FOLDERS'] ?? 5)

// The dossier counts records once, so that its connections may lack what a twin or a copy knows: those pairs of ends are left out. The
// dossier of everybody judges all the others of the case by the same records.
test(`roles and services of records are those of the dossiers of ${folders} random folders`, async t => {
  let compared = 0
  for (let seed = 1; seed <= folders; seed++) {
    const root = mkdtempSync(join(tmpdir(), 'tidemark-roles-'))
    const { subjects } = writeRandomFolder(join(root, 'logs'), seed)
    await addEvidence({ case: join(root, 'case'), paths: [join(root, 'logs')], workers: 1 })
    const c = await openCase(join(root, 'case'))
    try {
      const records = { evidence: c.source, columns: c.columns }
      await judgeRecords(c, records, [])
      for (const who of [subjects, ['::/0']]) compared += await compareRoles(c, records, who, seed)
    } finally {
      await c.close()
      rmSync(root, { recursive: true })
    }
  }
  assert.ok(compared > folders * 20, String(compared))
  t.diagnostic(`${compared} records`)
})

/** Compares roles and services of the records of a subject's connections. */
async function compareRoles(
  c: Case,
  records: Parameters<typeof withRoles>[1],
  who: readonly string[],
  seed: number,
): Promise<number> {
  const subject = who.map(text => parsePrefix(text)!)
  const mine = await subjectRecords(c, subject)
  const { block } = mine
  const { table, roles, connectionOf } = await subjectConversations(c, mine, subject, [])
  const rows =
    await c.db.rows(`SELECT _file, _line, CASE _role WHEN 'client' THEN 0 WHEN 'server' THEN 1 END AS ours, _service_at AS at
    FROM ${withRoles('flows', records, [])}`)
  const ours = new Map(rows.map(row => [`${row['_file']} ${row['_line']}`, row]))
  const pair = (row: number): string =>
    [`${block.source[row]} ${block.sourcePort[row]}`, `${block.destination[row]} ${block.destinationPort[row]}`]
      .sort()
      .join()
  const notCounted = new Set(Array.from(mine.fates, (one, row) => (one === fate.counted ? '' : pair(row))))
  let compared = 0
  for (let row = 0; row < block.rows; row++) {
    const connection = connectionOf[row]!
    if (connection === noConnection || notCounted.has(pair(row))) continue
    const rule = roles.rule[connection]!
    const where = `seed ${seed}, rule ${rule}`
    const found = ours.get(`${block.file[row]} ${block.line[row]}`)!
    if (rule === 8) {
      // The dossier names an end all the same, for its table; where one direction has more to say, so may the whole case.
      if (who.includes('::/0')) assert.equal(found['ours'], null, where)
      continue
    }
    const client = roles.client[connection] as 0 | 1
    const isClients =
      table.integer(connection, at4.aHost + client) === block.source[row] &&
      table.port(connection, client) === ((block.known[row]! & 1) === 0 ? null : block.sourcePort[row])
    assert.equal(found['ours'], isClients ? 0 : 1, where)
    const port = table.port(connection, client === 0 ? 1 : 0)
    if (hasPorts(table.protocol(connection)) && port !== null)
      assert.equal(String(found['at']).split('/')[0], String(port), where)
    compared++
  }
  return compared
}

const fields = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags'

async function caseOf(t: TestContext, files: Record<string, string[] | Uint8Array>): Promise<Case> {
  const folder = temporaryFolder(t)
  const paths = Object.entries(files).map(([name, content]) => {
    writeFileSync(join(folder, name), Array.isArray(content) ? `${[fields, ...content].join('\n')}\n` : content)
    return join(folder, name)
  })
  await addEvidence({ case: join(folder, 'case'), paths, workers: 1 })
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  return c
}

/** Numbers of the lines (packets) that match, and how many cannot be told. */
async function found(c: Case, filter: string, internal: readonly string[] = []): Promise<[number[], unknown]> {
  const result = await queryFlows(c, { filter, internal, order: 'start' })
  const lines: number[] = []
  for await (const row of result.rows()) lines.push(Number(row['line'] ?? row['packet']))
  return [lines.sort((a, b) => a - b), result.counting.unknown]
}

const logs = [
  // 2, 3: a SYN and its answer. 4, 5: no flags, but port 22 was seen to listen. 6: refused at the border.
  'eni-1 192.0.2.1 10.0.0.5 40000 22 6 10 840 1700000000 1700000050 ACCEPT 2',
  'eni-1 10.0.0.5 192.0.2.1 22 40000 6 8 9000 1700000000 1700000050 ACCEPT 18',
  'eni-1 10.0.0.5 192.0.2.9 22 50000 6 8 9000 1700000100 1700000150 ACCEPT -',
  'eni-1 192.0.2.9 10.0.0.5 50000 22 6 8 900 1700000100 1700000150 ACCEPT -',
  'eni-1 192.0.2.7 10.0.0.5 50000 8022 6 1 40 1700000100 1700000110 REJECT -',
  // 7: nothing tells who began, but both ports are NTP's; its answer (8) begins at once.
  'eni-1 10.0.0.5 203.0.113.5 123 123 17 1 76 1700000100 1700000110 ACCEPT -',
  'eni-1 203.0.113.5 10.0.0.5 123 123 17 1 76 1700000100 1700000110 ACCEPT -',
  // 9: no address, 10: no port.
  'eni-1 - 10.0.0.5 40001 22 6 1 40 1700000100 1700000110 ACCEPT 2',
  'eni-1 192.0.2.1 10.0.0.5 - - 1 1 84 1700000200 1700000210 ACCEPT -',
]

test('logs: role of the source, service of the connection', async t => {
  const c = await caseOf(t, { 'a.log': logs })
  assert.deepEqual(await found(c, 'role client'), [[2, 5, 6, 10], 3])
  assert.deepEqual(await found(c, 'role server'), [[3, 4], 3])
  assert.deepEqual(await found(c, 'role is unknown'), [[7, 8, 9], 0])
  assert.deepEqual(await found(c, 'service ssh'), [[2, 3, 4, 5], 1])
  assert.deepEqual(await found(c, 'service 22/tcp'), [[2, 3, 4, 5], 1])
  assert.deepEqual(await found(c, 'service 22/udp'), [[], 1])
  assert.deepEqual(await found(c, 'not service in [ssh icmp 8022/tcp]'), [[7, 8], 1])
  assert.deepEqual(await found(c, 'service oa-system'), [[6], 1])
  assert.deepEqual(await found(c, 'service begins nt or service NTP'), [[7, 8], 1])
  assert.deepEqual(await found(c, 'role client and service ssh and bytes > 850'), [[5], 0])
  assert.deepEqual(await found(c, 'dst port 22 and role server'), [[], 1])
})

test('records are grouped by role and service, and ports are not asked for without need', async t => {
  const c = await caseOf(t, { 'a.log': logs })
  const cache = join(c.dir, 'cache')
  await found(c, 'dst port 22')
  assert.equal(existsSync(cache), false)
  const result = await queryFlows(c, { by: ['service', 'role'], filter: 'service is known', order: 'records' })
  const rows: unknown[] = []
  for await (const { service, role, records } of result.rows()) rows.push([service, role, records])
  assert.deepEqual(rows.map(row => JSON.stringify(row)).sort(), [
    '["icmp","client",1]',
    '["ntp",null,2]',
    '["oa-system","client",1]',
    '["ssh","client",2]',
    '["ssh","server",2]',
  ])
  assert.match(result.sql, /roles-logs/)
  assert.equal(readdirSync(cache).filter(name => name.startsWith('roles-logs-')).length, 1)
  // A file that is none is worked out anew.
  for (const name of readdirSync(cache)) writeFileSync(join(cache, name), 'no parquet')
  const again = await openCase(c.dir)
  t.after(() => again.close())
  assert.deepEqual(await found(again, 'role server'), [[3, 4], 3])
})

test('the analyst’s own networks decide where AWS’s services do', async t => {
  const folder = temporaryFolder(t)
  const aws = `${fields} pkt-dst-aws-service`
  writeFileSync(
    join(folder, 'a.log'),
    `${aws}\neni-1 203.0.113.9 52.0.0.1 443 443 6 1 40 1700000000 1700000010 ACCEPT - S3\neni-1 52.0.0.1 203.0.113.9 443 443 6 1 40 1700000000 1700000010 ACCEPT - -\n`,
  )
  await addEvidence({ case: join(folder, 'case'), paths: [join(folder, 'a.log')], workers: 1 })
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  assert.deepEqual(await found(c, 'role client'), [[], 2])
  assert.deepEqual(await found(c, 'role client', ['203.0.113.0/24']), [[2], 0])
})

/** An answer to a ping that nobody saw. */
function echoReply(seconds: number): PcapRecord {
  const packet = ipv4({ protocol: 1, src: '10.0.0.5', dst: '203.0.113.9' }, [0, 0, 0, 0, 0, 1, 0, 1])
  return { bytes: ethernet(0x0800, packet), time: [seconds, 0] }
}

test('packets: the connection that the meter made tells, or the type of ICMP', async t => {
  const packets = [
    ...talk({ at: 1_700_000_000, client: '203.0.113.9 4000', server: '10.0.0.5 22', request: 400, answer: 900 }),
    ...ask(1_700_000_100, '10.0.0.5 5353', '198.51.100.53 53'),
  ]
  const capture = captureOf(packets, 65_535, [echoReply(1_700_000_200)])
  const c = await caseOf(t, { 'a.pcap': capture })
  const ends = async (filter: string): Promise<unknown[]> => {
    const result = await queryFlows(c, { filter })
    const rows: unknown[] = []
    for await (const { srcaddr, srcport } of result.rows()) rows.push(`${String(srcaddr)} ${String(srcport)}`)
    return rows.sort()
  }
  assert.deepEqual(await ends('role client'), ['10.0.0.5 5353', '203.0.113.9 4000'])
  assert.deepEqual(await ends('role server and service icmp'), ['10.0.0.5 null'])
  assert.deepEqual(await ends('role server and not service icmp'), ['10.0.0.5 22', '198.51.100.53 53'])
  assert.deepEqual(await ends('service domain'), ['10.0.0.5 5353', '198.51.100.53 53'])
  // The same for records of packets beside logs.
  const both = await caseOf(t, { 'a.pcap': capture, 'a.log': logs })
  const context = contextOf(both, 'packet_flows')
  const compiled = compile(parse('role server and service ssh'), context)
  assert.deepEqual(await countMatches(both, compiled, 'packet_flows'), { records: 5, matched: 1, unknown: 0 })
  const records = await recordsFor(both, compiled, 'packet_flows')
  const where = duckdb.print(compiled.where)
  const rows = await both.db.rows(`SELECT srcport FROM ${records} WHERE ${where.text}`, where.values)
  assert.deepEqual(
    rows.map(row => row['srcport']),
    [22],
  )
})

test('each of the two records of a line of conn.log has one role, and counts once', async t => {
  const folder = temporaryFolder(t)
  const lines = [
    '#separator \\x09',
    '#path\tconn',
    '#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes',
    '1418530010.0\tCa\t10.0.0.9\t40000\t10.0.0.2\t443\ttcp\tssl\t2.0\t100\t900\tSF\t5\t300\t6\t1200',
    '1418530020.0\tCb\t10.0.0.2\t53\t10.0.0.2\t53\tudp\tdns\t1.0\t40\t40\tSF\t1\t68\t1\t68',
  ]
  writeFileSync(join(folder, 'conn.log'), `${lines.join('\n')}\n`)
  await addEvidence({ case: join(folder, 'case'), paths: [join(folder, 'conn.log')] })
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  const matched = async (text: string) => {
    const compiled = compile(parse(text), contextOf(c))
    return (await countMatches(c, compiled)).matched
  }
  assert.equal(await matched('any'), 4)
  assert.equal(await matched('role client and host 10.0.0.9'), 1)
  assert.equal(await matched('role server and host 10.0.0.9'), 1)
  assert.equal(await matched('service https'), 2)
  assert.equal(await matched('service 53/udp'), 2)
})
