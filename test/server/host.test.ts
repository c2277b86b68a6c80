import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { detect } from '../../src/detect/detect.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { dossierJson } from '../../src/report/dossier-json.ts'
import type { ConnectionAnswer } from '../../src/server/contract/connection.ts'
import type { JobState } from '../../src/server/contract/events.ts'
import type { PacketsFile, PacketsFileAsk } from '../../src/server/contract/files.ts'
import type { FindingsAnswer, FindingsState, FoundInCase, SuspectInCase } from '../../src/server/contract/findings.ts'
import type {
  CorrelatedConnection,
  DossierAnswer,
  DossierFinding,
  DossierService,
  Lane,
  ListPage,
} from '../../src/server/contract/host.ts'
import { toLine } from '../../src/server/json-line.ts'
import { connectionKey, parseConnectionKey } from '../../src/server/work/connection-key.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { querySql } from '../../src/user-sql/query.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { overHttp, type Workbench } from './over-http.ts'

const attacker = '20.106.124.93'

describe('hosts and connections of the lab', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-hosts-'))
  const caseDir = join(folder, 'case.tidemark')
  let c: Case
  let workbench: Workbench

  before(async () => {
    await copyLab(folder)
    await addEvidence({ case: caseDir, paths: [join(folder, '20230928'), join(folder, 'investigate.pcap')] })
    c = await openCase(caseDir)
    workbench = await overHttp(caseDir)
  })
  after(async () => {
    await workbench?.close()
    await c?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const dossierOf = async (...subjects: string[]): Promise<DossierAnswer> =>
    workbench.value(await workbench.post<JobState>('/api/dossier', { subjects, own: [], head: c.head }))
  const listOf = <Row>(id: string, list: string, from = 0, count = 1000): Promise<ListPage<Row>> =>
    workbench.get(`/api/dossier/${id}/${list}?from=${from}&count=${count}`)
  const connectionOf = (key: string): Promise<ConnectionAnswer> =>
    workbench.get(`/api/connection/${encodeURIComponent(key)}`)

  for (const subject of [attacker, '10.130.8.94'])
    test(`the figures of ${subject} are those of investigate --json`, async () => {
      const json = asJson(dossierJson(await investigate(c, [subject])))
      const answer = await dossierOf(subject)
      const { id, head, window, records, bytes, packets, services_other, correlation } = answer
      assert.deepEqual([head, answer.internal], [c.head, subject !== attacker])
      assert.deepEqual(
        { window, records, bytes, packets, services_other, correlation_summary: correlation },
        {
          ...{ window: json.window, records: json.records, bytes: json.bytes, packets: json.packets },
          ...{ services_other: json.services_other, correlation_summary: json.correlation_summary },
        },
      )
      const services = await wholeList<DossierService>(from => listOf(id, 'services', from))
      const inOrder = [...services].sort((a, b) => Number(a.number.slice(1)) - Number(b.number.slice(1)))
      assert.deepEqual(
        inOrder.map(({ number: _, service: __, role: ___, approved: ____, known: _____, ...row }) => row),
        json.services,
      )
      const findings = await wholeList<DossierFinding>(from => listOf(id, 'findings', from))
      const byId = new Map(json.findings.map(finding => [finding.id, finding]))
      assert.equal(findings.length, json.findings.length)
      for (const { key: _, caseRule: __, hosts: ___, basis, ...finding } of findings)
        assert.deepEqual({ ...finding, basis: basis.map(({ file: __, ...place }) => place) }, byId.get(finding.id))
      const rows = await wholeList<CorrelatedConnection>(from => listOf(id, 'correlation', from))
      assert.equal(rows.length, (correlation?.log_connections ?? 0) + (correlation?.capture_only ?? 0))
      const captured = await wholeList<CorrelatedConnection>(from => listOf(id, 'correlation-packets-bytes', from))
      assert.equal(captured.length, rows.filter(row => row.capture !== null).length)
      assert.deepEqual(
        rows.slice(0, json.correlation.length).map(({ why: _, key: __, ...row }) => row),
        json.correlation,
      )
      for (const list of ['ports', 'work'] as const)
        assert.deepEqual(await wholeList(from => listOf(id, list, from)), json[list])
    })

  test('the evidence of a finding is named by the number of its file', async () => {
    const { id } = await dossierOf(attacker)
    const { rows } = await listOf<DossierFinding>(id, 'findings')
    const places = rows.flatMap(({ basis }) => basis)
    assert(places.length > 20)
    for (const { file, path } of places) assert.equal(c.evidence.find(one => one.id === file)?.path, path)
  })

  test('a lane has the connections of its service', async () => {
    const { id } = await dossierOf(attacker)
    const { rows: lanes } = await listOf<Lane>(id, 'lanes')
    const { rows: services } = await listOf<DossierService>(id, 'services')
    assert.deepEqual(
      lanes.map(({ number }) => number),
      services.map(({ number }) => number),
    )
    const exfiltration = lanes.find(({ port }) => port === 8889)!
    const sum = exfiltration.bars.reduce((bytes, bar) => bytes + Number(bar.bytes), 0)
    assert.deepEqual([exfiltration.connections, exfiltration.bars.length, sum], [5, 5, 265_183_813 + 4_788_761])
    assert.deepEqual(
      exfiltration.bars.map(({ captured }) => captured),
      [true, false, false, false, false],
    )
    const web = lanes.find(({ port }) => port === 80)!
    assert.deepEqual([web.connections, web.bars.length], [15_676, 200])
  })

  test('connections have the figures of their service, and the roles that SQL gives', async () => {
    const { id } = await dossierOf(attacker)
    const { rows: lanes } = await listOf<Lane>(id, 'lanes')
    const { rows: services } = await listOf<DossierService>(id, 'services')
    for (const { number, bars, connections } of lanes) {
      if (connections > 10) continue
      const service = services.find(one => one.number === number)!
      const all = await Promise.all(bars.map(bar => connectionOf(bar.key)))
      const sum = (of: (one: ConnectionAnswer) => number): number => all.reduce((total, one) => total + of(one), 0)
      assert.equal(
        sum(one => Number(one.to_server.bytes)),
        service.bytes_to_server,
      )
      assert.equal(
        sum(one => Number(one.to_client.bytes)),
        service.bytes_to_client,
      )
      assert.equal(
        sum(one => Number(one.to_server.packets)),
        service.packets_to_server,
      )
      assert.equal(
        sum(one => one.to_server.records + one.to_client.records),
        service.records,
      )
      assert(all.some(one => one.began.basis === service.role_basis))
    }
    const { rows } = await querySql(
      c,
      `SELECT orig_addr, orig_port, resp_addr, resp_port, protocol, epoch_us(start) AS start_us, role_basis, role_confidence,
        state, records, orig_ip_bytes, resp_ip_bytes FROM connections WHERE evidence = 'logs'
        ORDER BY hash(orig_addr, orig_port, start) LIMIT 40`,
    )
    assert.equal(rows.length, 40)
    for (const row of rows) {
      const key = connectionKey({
        ...{ protocol: Number(row['protocol']), start_us: Number(row['start_us']) },
        ...{ client: String(row['orig_addr']), clientPort: numberOf(row['orig_port']) },
        ...{ server: String(row['resp_addr']), serverPort: numberOf(row['resp_port']) },
      })
      const told = await connectionOf(key)
      assert.deepEqual(
        [told.key, told.began.basis, told.began.confidence, told.outcome],
        [
          key,
          String(row['role_basis']).replace(/ \d$/, ''),
          Math.round(100 * Number(row['role_confidence'])),
          row['state'],
        ],
      )
      assert.equal(told.to_server.records + told.to_client.records, Number(row['records']))
      assert.deepEqual(
        [told.to_server.bytes, told.to_client.bytes],
        [Number(row['orig_ip_bytes']), Number(row['resp_ip_bytes'])],
      )
    }
  })

  test('a connection with packets says how many each way, and what carves them', async () => {
    const told = await connectionOf(`6~10.130.8.94~36072~${attacker}~8889~1695929556000000`)
    assert.deepEqual(told.packets, { to_server: 18_932, to_client: 9559 })
    assert.match(told.carve!.command, /^tidemark carve 'proto 6 and /)
    assert.deepEqual(
      told.vantages.map(({ kind, records }) => [kind, records]),
      [
        ['logs', 160],
        ['packets', 12],
      ],
    )
    assert.deepEqual(
      told.records.slice(0, 2).map(({ way, flags, action }) => [way, flags, action]),
      [
        ['to-server', ['SYN'], 'ACCEPT'],
        ['to-client', ['SYN', 'ACK'], 'ACCEPT'],
      ],
    )
    const without = await connectionOf(`6~10.130.8.94~44318~${attacker}~8889~1695934356000000`)
    assert.deepEqual([without.packets, without.carve], [null, null])
  })

  test('a connection is found from either end, and by a time within it', async () => {
    const key = `6~10.130.8.94~36072~${attacker}~8889~1695929556000000`
    const turned = `6~${attacker}~8889~10.130.8.94~36072~1695930000000000`
    assert.equal((await connectionOf(turned)).key, key)
  })

  test('what names no connection is refused', async () => {
    const garbage = await workbench.refused('/api/connection/what~ever')
    assert.deepEqual([garbage.status, garbage.error], [400, 'no connection is called what~ever'])
    const none = await workbench.refused(`/api/connection/${encodeURIComponent(`6~10.130.8.94~1~${attacker}~2~3`)}`)
    assert.match(none.error, /no connection of 10\.130\.8\.94 and 20\.106\.124\.93/)
  })

  test('an address of which there is no record has a dossier that says so', async () => {
    const answer = await dossierOf('203.0.113.99')
    assert.deepEqual([answer.records.subject, answer.lists.services, answer.lists.lanes], [0, 0, 0])
    assert.match(toLine(answer.words.headline), /No record of 203\.0\.113\.99/)
  })

  test('what is no address is refused by the job', async () => {
    const job = await workbench.post<JobState>('/api/dossier', { subjects: ['nobody'], own: [], head: c.head })
    await assert.rejects(workbench.value(job), /not an address or prefix: nobody/)
  })

  test('a network is a host of many addresses', async () => {
    const json = dossierJson(await investigate(c, ['20.106.0.0/16']))
    const answer = await dossierOf('20.106.0.0/16')
    assert.deepEqual([answer.records, answer.internal], [json.records, false])
  })

  test('a dossier that is there is not worked out again', async () => {
    const ask = { subjects: [attacker], own: [], head: c.head }
    const first = await workbench.post<JobState>('/api/dossier', ask)
    assert.deepEqual((await workbench.post<JobState>('/api/dossier', ask)).id, first.id)
    assert.notEqual((await workbench.post<JobState>('/api/dossier', { ...ask, own: ['20.0.0.0/8'] })).id, first.id)
  })

  test('what is carved of a finding are its own connections, and how many of these have packets is said', async () => {
    const ask: PacketsFileAsk = {
      ...{ name: 'F169', own: [] },
      of: {
        services: [{ client: '10.130.8.94', server: '20.106.124.93', port: 8889, protocol: 6 }],
        ...{ first_start: '2023-09-28T19:32:36Z', last_end: '2023-09-28T23:59:47Z' },
      },
    }
    const { name, packets, cut, sha256, command, connections } = await workbench.value<PacketsFile>(
      await workbench.post<JobState>('/api/packets/file', ask),
    )
    assert.deepEqual([name, packets, cut], ['packets-F169.pcapng', 28_491, 18_931])
    assert.deepEqual(connections, {
      ...{ total: 5, captured: 1 },
      without: [{ why: 'before or after the capture', connections: 4 }],
    })
    assert.match(
      command,
      /dst port 8889.* between 2023-09-28T19:31:3\dZ and 2023-09-28T23:59:4\dZ' .*-o packets-F169\.pcapng$/,
    )
    assert.match(sha256, /^[\da-f]{64}$/)
  })

  test('findings are those of detect, once they were asked for', async () => {
    const path = `/api/findings?head=${c.head}`
    assert.deepEqual(await workbench.get<FindingsState>(path), { job: null, found: null })
    const job = await workbench.post<JobState>('/api/findings', { own: [], head: c.head })
    const found = await workbench.value<FindingsAnswer>(job)
    const state = await workbench.get<FindingsState>(path)
    assert.deepEqual([state.job?.state, state.found], ['done', found])
    const all = asJson(await detect(c))
    assert.deepEqual(
      [found.connections, found.findings_total, found.hosts_total, found.findings_other],
      [all.connections, all.findings.length, all.hosts_total, all.findings_other],
    )
    const rows = await wholeList<FoundInCase>(from =>
      workbench.get(`/api/findings/${found.id}/findings?from=${from}&count=150`),
    )
    const byId = new Map(all.findings.map(finding => [finding.id, finding]))
    assert.equal(rows.length, all.findings.length)
    for (const { id, title, severity, summary, first_start, last_end, basis_total, connections } of rows) {
      const {
        title: t,
        severity: s,
        summary: y,
        first_start: f,
        last_end: l,
        basis_total: b,
        connections: n,
      } = byId.get(id)!
      assert.deepEqual(
        [title, severity, summary, first_start, last_end, basis_total, connections],
        [t, s, y, f, l, b, n],
      )
    }
    const out = rows.find(({ rule }) => rule === 'D04-outbound-volume')
    assert.deepEqual(out?.services, [{ client: '10.130.8.94', server: attacker, port: 8889, protocol: 6 }])
    const ranks = ['high', 'medium', 'low', 'info']
    assert.deepEqual(
      rows.map(({ severity }) => severity),
      rows.map(({ severity }) => severity).sort((a, b) => ranks.indexOf(a) - ranks.indexOf(b)),
    )
    const hosts = await wholeList<SuspectInCase>(from => workbench.get(`/api/findings/${found.id}/hosts?from=${from}`))
    assert.deepEqual(
      hosts.map(({ address, why }) => [address, why]),
      all.hosts.map(({ address, why }) => [address, why]),
    )
  })
})

test('a host with thousands of services is read a page at a time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-services-'))
  const caseDir = join(folder, 'case.tidemark')
  const count = 2345
  const lines = Array.from(
    { length: count },
    (_, i) =>
      `eni-1 2001:db8::1 2001:db8:ffff::${i.toString(16)} ${30_000 + i} 443 6 3 ${200 + i} ${1_700_000_000 + i} ${1_700_000_030 + i} ACCEPT OK 2`,
  )
  const header =
    'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'
  writeFileSync(join(folder, 'flows.log'), `${header}\n${lines.join('\n')}\n`)
  await addEvidence({ case: caseDir, paths: [join(folder, 'flows.log')] })
  const c = await openCase(caseDir)
  const workbench = await overHttp(caseDir)
  try {
    const job = await workbench.post<JobState>('/api/dossier', { subjects: ['2001:db8::1'], own: [], head: c.head })
    const { id, lists } = await workbench.value<DossierAnswer>(job)
    assert.deepEqual([lists.services, lists.lanes], [count, 200])
    const rows = await wholeList<DossierService>(from =>
      workbench.get(`/api/dossier/${id}/services?from=${from}&count=400`),
    )
    assert.equal(new Set(rows.map(({ server }) => server)).size, count)
    const past = await workbench.get<ListPage<unknown>>(`/api/dossier/${id}/services?from=99999&count=10`)
    assert.deepEqual(past, { from: count, total: count, rows: [] })
    const most = await workbench.get<ListPage<unknown>>(`/api/dossier/${id}/services?from=0&count=999999`)
    assert.equal(most.rows.length, 1000)
    const lane = (await workbench.get<ListPage<Lane>>(`/api/dossier/${id}/lanes?from=0&count=1`)).rows[0]!
    const told = await workbench.get<ConnectionAnswer>(`/api/connection/${encodeURIComponent(lane.bars[0]!.key)}`)
    assert.deepEqual([told.client.address, told.server.port, told.to_server.packets], ['2001:db8::1', 443, 3])
    for (const list of ['nothing', '__proto__', 'constructor']) {
      const refused = await workbench.refused(`/api/dossier/${id}/${list}`)
      assert.match(refused.error, /not kept any more/)
    }
  } finally {
    await workbench.close()
    await c.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the name of a connection can be read again', () => {
  const keys = [
    { protocol: 6, client: '10.0.0.1', clientPort: 1, server: '2001:db8::1', serverPort: 65_535, start_us: -1 },
    { protocol: null, client: '10.0.0.1', clientPort: null, server: '10.0.0.2', serverPort: null, start_us: null },
  ]
  for (const key of keys) assert.deepEqual(parseConnectionKey(connectionKey(key)), key)
  for (const text of [
    '',
    '6~a~1~b~2~3',
    '6~10.0.0.1~70000~10.0.0.2~1~1',
    '256~10.0.0.1~1~10.0.0.2~1~1',
    '6~10.0.0.1~1~10.0.0.2~1',
  ])
    assert.equal(parseConnectionKey(text), null, text)
})

async function wholeList<Row>(page: (from: number) => Promise<ListPage<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  for (;;) {
    const { rows: some, total, from } = await page(rows.length)
    assert.equal(from, rows.length)
    rows.push(...some)
    if (rows.length === total) return rows
    assert(some.length > 0)
  }
}

/** As it comes to a page. */
function asJson<T>(value: T): T {
  return JSON.parse(toLine(value)) as T
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}
