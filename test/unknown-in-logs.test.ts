import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Dossier } from '../src/investigate/dossier.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { sweep } from '../src/investigate/sweep.ts'
import { dossierPage } from '../src/report/dossier.ts'
import { toJson } from '../src/report/json.ts'
import { sweepPage } from '../src/report/sweep.ts'
import { terminalText } from '../src/report/terminal.ts'
import { QuerySession } from '../src/user-sql/session.ts'
import { caseOf, type Work, workFolder } from './flows/support.ts'
import { ask as askPackets, captureOf } from './handmade.ts'
import { ask } from './user-sql/support.ts'

// What the records of a flow log do not say is unknown: null in SQL and JSON, a word on the page, and no zero anywhere.

let work: Work
before(() => {
  work = workFolder()
})
after(() => work.close())

const timed =
  'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'
/** Nobody says how much or with what flags; one side does in part; the protocol is unknown; all is known. */
const lines = [
  timed,
  'eni-1 198.51.100.9 10.0.0.1 40000 443 6 - - 1700000000 1700000010 ACCEPT OK -',
  'eni-1 10.0.0.1 198.51.100.9 443 40000 6 - - 1700000000 1700000010 ACCEPT OK -',
  'eni-1 198.51.100.9 10.0.0.2 40001 22 6 5 500 1700000000 1700000010 ACCEPT OK 2',
  'eni-1 198.51.100.9 10.0.0.2 40001 22 6 - - 1700000011 1700000020 ACCEPT OK 0',
  'eni-1 10.0.0.2 198.51.100.9 22 40001 6 4 400 1700000000 1700000010 ACCEPT OK 18',
  'eni-1 198.51.100.9 10.0.0.3 - - - 3 300 1700000000 1700000010 ACCEPT OK -',
  'eni-1 198.51.100.9 10.0.0.4 40002 80 6 0 0 1700000000 1700000010 ACCEPT OK 0',
]

async function dossierOf(name: string, files: Record<string, string | Uint8Array>): Promise<Dossier> {
  const paths = Object.entries(files).map(([file, content]) => {
    const path = join(work.root, `${name}-${file}`)
    writeFileSync(path, content)
    return path
  })
  const c = await caseOf(work.root, paths, name)
  try {
    return await investigate(c, ['198.51.100.9'])
  } finally {
    await c.close()
  }
}

const pageOf = (dossier: Dossier): string =>
  terminalText(dossierPage(dossier, { showWork: false, full: true }), { width: 140, color: false })

test('the view of connections has null for counters, flags and protocols that no record says', async () => {
  await dossierOf('sql', { 'a.log': `${lines.join('\n')}\n` })
  const session = new QuerySession(join(work.root, 'sql'))
  try {
    const { rows } = await ask(
      session,
      `SELECT ip4(resp_addr), protocol, orig_packets, orig_ip_bytes, resp_ip_bytes, at_least, orig_flags, resp_flags
       FROM connections ORDER BY 1`,
    )
    assert.deepEqual(rows, [
      ['10.0.0.1', 6, null, null, null, true, null, null],
      ['10.0.0.2', 6, 5, 500, 400, true, 2, 18],
      ['10.0.0.3', null, 3, 300, 0, false, null, 0],
      ['10.0.0.4', 6, 0, 0, 0, false, 0, 0],
    ])
  } finally {
    await session.close()
  }
})

test('the dossier has null for sums that no record says, and tells sums that are without some', async () => {
  const dossier = await dossierOf('sums', { 'a.log': `${lines.join('\n')}\n` })
  const rows = dossier.services.map(one => [
    ...[one.server, one.port, one.protocol, one.name],
    ...[one.bytes_to_server, one.bytes_to_client, one.packets_to_server, one.packets_to_client, one.at_least],
  ])
  assert.deepEqual(rows.sort(), [
    ['10.0.0.1', 443, 6, 'https', null, null, null, null, true],
    ['10.0.0.2', 22, 6, 'ssh', 500, 400, 5, 4, true],
    ['10.0.0.3', null, null, null, 300, 0, 3, 0, false],
    ['10.0.0.4', 80, 6, 'http', 0, 0, 0, 0, false],
  ])
  assert.deepEqual(dossier.bytes, { from_subject: 800, to_subject: 400, at_least: true, unsummed: 3 })
  const port = (number: number): unknown => dossier.ports.find(row => row.port === number)!.as_destination
  assert.deepEqual(port(443), { records: 1, rejected: 0, packets: null, bytes: null, at_least: true })
  assert.deepEqual(port(22), { records: 2, rejected: 0, packets: 5, bytes: 500, at_least: true })
  assert.deepEqual(port(80), { records: 1, rejected: 0, packets: 0, bytes: 0 })
  const json = JSON.parse(toJson(dossier)) as Dossier
  assert.ok(json.attack_surface.unanswered.some(one => one.protocol === null && one.server === '10.0.0.3'))
  const page = pageOf(dossier)
  assert.match(page, /unknown protocol/)
  assert.doesNotMatch(page, /HOPOPT/i)
  assert.match(page, /10\.0\.0\.1:443 .* unknown +unknown /)
  assert.match(page, /at least 500 B/)
  assert.match(page, /3 records of accepted traffic do not say how many bytes or packets/)
})

test('a sweep has null for bytes that no record says, and tells sums that are without some', async () => {
  await dossierOf('sweep', { 'a.log': `${lines.join('\n')}\n` })
  const c = await caseOf(work.root, [], 'sweep')
  try {
    const found = await sweep(c, ['198.51.100.9', '10.0.0.1', '10.0.0.3', '192.0.2.1'], { judgedMax: 0 })
    assert.deepEqual(
      found.sweep.map(({ bytes }) => [bytes.from_subject, bytes.to_subject, bytes.at_least]),
      [
        [800, 400, true],
        [null, null, true],
        [0, 300, false],
        [0, 0, false],
      ],
    )
    const page = terminalText(
      sweepPage(found, { lines: 0, problems: { count: 0, first: [] } }, one => one, false),
      { width: 140, color: false },
    )
    assert.match(page, /198\.51\.100\.9 .* ≥ 800 B +≥ 400 B/)
    assert.match(page, /10\.0\.0\.1 .* unknown +unknown/)
  } finally {
    await c.close()
  }
})

test('every figure of the work shown comes out of its SQL, unknown ones too', async () => {
  const dossier = await dossierOf('work', { 'a.log': `${lines.join('\n')}\n` })
  const c = await caseOf(work.root, [], 'work')
  try {
    const items = dossier.work.filter(item => item.figure.startsWith('ports'))
    assert.ok(items.some(item => item.value === null))
    for (const { figure, sql, value } of items) {
      const [row] = await c.db.rows(sql)
      assert.equal(row!['value'] === null ? null : Number(row!['value']), value, figure)
    }
  } finally {
    await c.close()
  }
})

test('where no accepted record says its size, the page does not say that nothing was transferred', async () => {
  const dossier = await dossierOf('none', { 'a.log': `${lines.slice(0, 3).join('\n')}\n` })
  assert.deepEqual(dossier.bytes, { from_subject: null, to_subject: null, at_least: true, unsummed: 2 })
  const page = pageOf(dossier)
  assert.match(page, /How much data was transferred is\s+unknown/)
  assert.doesNotMatch(page, /No data was transferred|\b0 B\b/)
})

test('services without a time are of no day, and findings about them too', async () => {
  const header = timed.replace(' start end', '')
  const without = lines.slice(3, 6).map(line => line.replace(/ 17\d+ 17\d+/, ''))
  const dossier = await dossierOf('times', { 'a.log': `${[header, ...without].join('\n')}\n` })
  assert.deepEqual(
    dossier.services.map(one => [one.first_start, one.last_end, one.longest_seconds]),
    [[null, null, null]],
  )
  assert.ok(dossier.findings.length > 0)
  for (const finding of dossier.findings) {
    assert.deepEqual([finding.first_start, finding.last_end], [null, null])
    assert.ok(finding.basis.length > 0)
  }
  assert.doesNotMatch(`${pageOf(dossier)}${toJson(dossier)}`, /1970|NaN|null:/)
})

test('beside packets, logs that do not say a size or a time are not said to differ', async () => {
  const packets = askPackets(1_700_000_000, '198.51.100.9 5000', '10.0.0.1 53')
  const answered = [
    'eni-1 198.51.100.9 10.0.0.1 5000 53 17 1 - 1700000000 1700000000 ACCEPT OK 0',
    'eni-1 10.0.0.1 198.51.100.9 53 5000 17 1 118 1700000000 1700000000 ACCEPT OK 0',
  ]
  const capture = captureOf(packets)
  const sizes = await dossierOf('volumes', { 'a.log': `${[timed, ...answered].join('\n')}\n`, 'a.pcap': capture })
  assert.deepEqual(
    sizes.correlation.map(row => [row.match, row.reason, row.log!.bytes_to_server, row.delta!.bytes_to_server]),
    [['time', 'volumes-unknown', null, null]],
  )
  const untimed = answered.map(line => line.replace(/ 17\d+ 17\d+/, ''))
  const log = `${[timed.replace(' start end', ''), ...untimed].join('\n')}\n`
  const times = await dossierOf('untimed', { 'a.log': log, 'a.pcap': capture })
  assert.deepEqual(
    times.correlation.filter(row => row.log !== null).map(row => [row.match, row.reason, row.log!.first]),
    [['log-only', 'times-unknown', null]],
  )
})
