import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { convert } from '../../src/convert/convert.ts'
import { connLogOf } from '../../src/flow-text/conn-log.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { captures } from '../convert/support.ts'
import { repoRoot } from '../repo.ts'
import { assertSound, chanceFrom, folderFor, setting } from '../robustness/support.ts'

const mutations = setting('TABLE_MUTATIONS', 1000)
const baselines = join(repoRoot, '..', 'shared', 'data', 'pcap', 'zeek', 'Baseline')

async function opened(t: TestContext, dir: string): Promise<Case> {
  await assertSound(dir)
  const c = await openCase(dir)
  t.after(() => c.close())
  return c
}

const header = '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n'
const fields =
  'ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes'
const rows = [
  '1700000000.123456\tC1\t198.51.100.7\t40000\t192.0.2.5\t22\ttcp\t2.500000\t100\t200\tSF\tShADadFf\t10\t620\t8\t616',
  '1700000001.000001\tC2\t198.51.100.7\t40001\t192.0.2.5\t23\ttcp\t-\t-\t-\tS0\tS\t1\t60\t0\t0',
  '1700000002.5\tC3\t198.51.100.7\t8\t192.0.2.5\t0\ticmp\t1.0\t56\t56\tOTH\t-\t1\t84\t1\t84',
  '1700000003.5\tC4\t2001:db8::1\t53\t2001:db8::2\t5353\tudp\t0.1\t-\t-\tSF\tDd\t-\t-\t-\t-',
]
const log = `${header}#fields\t${fields}\n#types\ttime\n${rows.join('\n')}\n#close\t2023\n`

async function added(t: TestContext, contents: Record<string, string | Uint8Array>) {
  const folder = folderFor(t)
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content)
  const dir = join(folder, 'case')
  const report = await addEvidence({
    case: dir,
    paths: Object.keys(contents).map(name => join(folder, name)),
    workers: 1,
  })
  return { report, c: await opened(t, dir) }
}

test("Zeek's conn.log gives a flow record for each side that has sent, and its connections", async t => {
  const { report, c } = await added(t, { 'conn.log.gz': gzipSync(log) })
  const [file] = report.files
  assert.deepEqual(
    [file?.kind, file?.status, file?.lines, file?.header_lines, file?.malformed, file?.records, file?.flow_table],
    ['conn-log', 'read', 12, 8, 0, 7, { rows: 4, flow_records: 7, connections: 4, note: null }],
  )
  const flows = await c.db.rows(
    `SELECT _line AS line, srcport, dstport, protocol AS proto, packets, bytes, epoch_us(start) AS s, epoch_us("end") AS e, icmp_type AS t FROM packet_flows ORDER BY _line, srcport`,
  )
  const plain = flows.map(row => Object.values(row).map(value => (typeof value === 'bigint' ? Number(value) : value)))
  assert.deepEqual(plain, [
    [8, 22, 40000, 6, 8, 616, 1700000000123456, 1700000002623456, null],
    [8, 40000, 22, 6, 10, 620, 1700000000123456, 1700000002623456, null],
    [9, 40001, 23, 6, 1, 60, 1700000001000001, 1700000001000001, null],
    [10, null, null, 1, 1, 84, 1700000002500000, 1700000003500000, 8],
    [10, null, null, 1, 1, 84, 1700000002500000, 1700000003500000, 0],
    [11, 53, 5353, 17, null, null, 1700000003500000, 1700000003600000, null],
    [11, 5353, 53, 17, null, null, 1700000003500000, 1700000003600000, null],
  ])
  const connections = await c.db.rows(
    'SELECT conn_state, history, role_basis, orig_bytes FROM connections ORDER BY _line',
  )
  assert.deepEqual(
    connections.map(row => Object.values(row).map(value => (typeof value === 'bigint' ? Number(value) : value))),
    [
      ['SF', 'ShADadFf', 'syn', 100],
      ['S0', 'S', 'syn', null],
      ['OTH', null, 'icmp-type', 56],
      ['SF', 'Dd', 'first-seen', null],
    ],
  )
  const dossier = await investigate(c, ['198.51.100.7'])
  assert.equal(dossier.services.find(service => service.port === 22)?.connections, 1)
  await investigate(c, ['2001:db8::1'])
})

test('the JSON of conn.log is the same as its columns', async t => {
  const names = fields.split('\t')
  const json = rows.map(row => {
    const values = row
      .split('\t')
      .map((value, i) => [names[i]!, value] as const)
      .filter(([, value]) => value !== '-')
    return JSON.stringify(
      Object.fromEntries(
        values.map(([name, value]) => [
          name,
          /^(?:ts|duration|.*_(?:p|bytes|pkts))$/.test(name) ? Number(value) : value,
        ]),
      ),
    )
  })
  const all = async (contents: Record<string, string>, view: string) =>
    (await added(t, contents)).c.db.rows(`SELECT * EXCLUDE (_line, _file) FROM ${view} ORDER BY ALL`)
  for (const view of ['packet_flows', 'connections']) {
    assert.deepEqual(await all({ 'conn.json': json.join('\n') }, view), await all({ 'conn.log': log }, view))
  }
})

test('what convert writes as conn.log is read as the capture itself', async t => {
  const { folder, plain: capture } = captures(t)
  const path = join(folder, 'conn.log')
  await convert({ paths: [capture], out: path })
  const sums = async (file: string, name: string) => {
    const dir = join(folder, name)
    await addEvidence({ case: dir, paths: [file], workers: 1 })
    const c = await opened(t, dir)
    const rows = async (query: string): Promise<string> =>
      JSON.stringify(await c.db.rows(query), (_, value) => (typeof value === 'bigint' ? String(value) : value))
    return [
      await rows('SELECT sum(packets) AS packets, sum(bytes) AS bytes FROM packet_flows'),
      await rows(
        `SELECT orig_addr, orig_port, resp_addr, resp_port, protocol, start, orig_packets, orig_ip_bytes, resp_packets, resp_ip_bytes,
          conn_state, history, icmp_type, icmp_code, tunnel, community_id FROM connections ORDER BY ALL`,
      ),
    ]
  }
  const [fromLog, fromCapture] = [await sums(path, 'of-log'), await sums(capture, 'of-capture')]
  assert.deepEqual(fromLog, fromCapture)
})

test("every row of Zeek's own baselines is read", { skip: existsSync(baselines) ? false : 'no ../shared here' }, () => {
  let files = 0
  let read = 0
  for (const name of readdirSync(baselines)) {
    const path = join(baselines, name, 'conn.log')
    if (!existsSync(path)) continue
    const text = readFileSync(path, 'utf8').replaceAll('XXXXXXXXXX.XXXXXX', '1700000000.000000')
    const table = connLogOf(text)
    if (!text.includes('#fields') || !text.includes('\tid.orig_h\t')) continue
    assert.ok(table, path)
    files++
    for (const line of text.split('\n')) {
      const found = table.line(line)
      if (typeof found === 'string') assert.ok(['header', 'blank'].includes(found), `${path}: ${found}: ${line}`)
      else read++
    }
  }
  assert.ok(files > 40 && read > 200, `${files} files, ${read} rows`)
})

test('a line that is no row is named, and the others are kept', async t => {
  const bad = [
    rows[0]!,
    rows[0]!.replace('tcp', 'nonsense'),
    rows[0]!.replace('\t22\t', '\t220000\t'),
    'x',
    rows[1]!.replace('1700000001.000001', 'XXXX'),
  ]
  const { report } = await added(t, { 'conn.log': `${header}#fields\t${fields}\n${bad.join('\n')}` })
  assert.deepEqual(
    report.problems.map(({ line, problem }) => [line, problem]),
    [
      [8, 'field proto: found "nonsense"'],
      [9, 'field id.resp_p: found "220000"'],
      [10, '1 columns where #fields names 16'],
      [11, 'field ts: found "XXXX"'],
    ],
  )
  assert.equal(report.files[0]?.flow_table?.rows, 1)
})

test('no mutant of a conn.log stops its reader', () => {
  const random = chanceFrom(9)
  for (let i = 0; i < mutations; i++) {
    const bytes = Buffer.from(log)
    for (let n = random.int(1, 6); n > 0; n--)
      bytes[random.int(0, bytes.length - 1)] = random.pick([9, 10, 35, 45, 48, 57, 0, 255, 92])
    const text = bytes.toString('utf8')
    const table = connLogOf(text)
    if (table === null) continue
    for (const line of text.split('\n')) {
      const found = table.line(line)
      if (typeof found === 'string') continue
      assert.ok(found.flows.length <= 2)
      for (const flow of found.flows) assert.ok((flow.start ?? 0) <= (flow.end ?? Number.POSITIVE_INFINITY))
    }
  }
})
