// Dossiers of captures and nfcapd files alone.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { convert } from '../src/convert/convert.ts'
import { addEvidence } from '../src/ingest/add.ts'
import type { Dossier } from '../src/investigate/dossier.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { dossierPage } from '../src/report/dossier.ts'
import { terminalText } from '../src/report/terminal.ts'
import { openCase } from '../src/store/case.ts'
import { temporaryFolder } from './cli/run.ts'
import { slowPackets } from './demo/slow-pcap.ts'
import { golden } from './golden.ts'
import { ask, captureOf, type MadePacket, talk } from './handmade.ts'

const start = 1_700_000_000
const subject = '203.0.113.9'
const host = '10.0.0.5'

const to = (at: number, port: number, server: string, more: object = {}): MadePacket[] =>
  talk({ at, client: `${subject} ${port}`, server, ...more })

/** Log-ins by the dozen, one that lasts, data carried out, a refused and an unanswered attempt, and others' traffic. */
function incident(): MadePacket[] {
  return [
    ...Array.from({ length: 40 }, (_, i) =>
      to(start + 3 * i, 4000 + (i % 30), `${host} 22`, { request: 400, answer: 900 }),
    ).flat(),
    ...to(start + 200, 5000, `${host} 22`, { request: 30_000, answer: 40_000, ends: 'open', lasts: 1200 }),
    ...talk({
      at: start + 400,
      client: `${host} 6000`,
      server: `${subject} 8889`,
      request: 60_000,
      answer: 10,
      lasts: 100,
    }),
    ...to(start + 500, 5001, `${host} 23`, { ends: 'refused' }),
    ...to(start + 501, 5002, `${host} 25`, { ends: 'unanswered' }),
    ...ask(start + 600, `${host} 5353`, '198.51.100.53 53'),
  ]
}

async function dossierOf(t: TestContext, files: Record<string, Uint8Array>, subjects = [subject]): Promise<Dossier> {
  const folder = temporaryFolder(t)
  const paths = Object.entries(files).map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
  return await dossierOfPaths(folder, paths, subjects)
}

async function dossierOfPaths(folder: string, paths: string[], subjects = [subject]): Promise<Dossier> {
  const dir = join(folder, 'case')
  await addEvidence({ case: dir, paths, workers: 1 })
  const opened = await openCase(dir)
  try {
    const dossier = await investigate(opened, subjects)
    // Each SQL that is shown gives the figure that it stands beside.
    for (const item of dossier.work.filter(({ figure }) => /records|bytes/.test(figure))) {
      const [row] = await opened.db.rows(item.sql)
      assert.equal(Object.values(row!)[0], item.value, item.figure)
    }
    for (const finding of dossier.findings) {
      const sums = await opened.db.rows(finding.sql)
      assert.equal(sums.reduce((sum, row) => sum + Number(row['records']), 0) > 0, true, finding.title)
      assert.ok(finding.basis.length > 0, finding.title)
    }
    return JSON.parse(JSON.stringify(dossier).replaceAll(folder, '/evidence')) as Dossier
  } finally {
    await opened.close()
  }
}

test('totals are the capture’s, by an independent count; roles are told by the SYN', async t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.pcap')
  writeFileSync(path, captureOf(incident(), 96))
  const d = await dossierOfPaths(folder, [path])
  const packets = [...slowPackets(path)]
  const sum = (own: typeof packets) => [own.length, own.reduce((bytes, p) => bytes + p.ip_bytes, 0)]
  assert.deepEqual([d.packets.from_subject, d.bytes.from_subject], sum(packets.filter(p => p.source === subject)))
  assert.deepEqual([d.packets.to_subject, d.bytes.to_subject], sum(packets.filter(p => p.target === subject)))
  for (const row of d.services) {
    const own = (up: boolean) =>
      packets.filter(
        p =>
          (up ? p.target : p.source) === row.server &&
          (up ? p.target_port : p.source_port) === row.port &&
          (up ? p.source : p.target) === row.client,
      )
    assert.deepEqual([row.packets_to_server, row.bytes_to_server], sum(own(true)), `${row.port}`)
    assert.deepEqual([row.packets_to_client, row.bytes_to_client], sum(own(false)), `${row.port}`)
    const opened = own(true).filter(p => (p.flags & 18) === 2)
    assert.equal(row.connections, opened.length, `connections to ${row.port}`)
  }
  assert.deepEqual(
    d.services.map(row => [row.client, row.server, row.port, row.outcome, row.role_basis, row.role_confidence]),
    [
      [subject, host, 22, 'answered', 'syn', 0.98],
      [host, subject, 8889, 'answered', 'syn', 0.98],
      [subject, host, 23, 'refused', 'syn', 0.98],
      [subject, host, 25, 'unanswered', 'syn', 0.98],
    ],
  )
  assert.deepEqual([d.source, d.records.rejected, d.not_logged, d.attack_surface.complete], ['packets', 0, [], true])
  assert.equal(d.window.first_start, '2023-11-14T22:13:20Z')
})

test('a finding rests on packets, by number', async t => {
  const d = await dossierOf(t, { 'a.pcap': captureOf(incident()) })
  assert.ok(d.findings.length >= 3, d.findings.map(({ title }) => title).join(', '))
  for (const finding of d.findings)
    for (const place of finding.basis) assert.ok(place.packet! >= 1 && place.line === undefined)
  // The first packet of the subject is the first contact.
  assert.deepEqual(d.findings.find(({ rule }) => rule === 'first-contact')!.basis[0], {
    path: '/evidence/a.pcap',
    packet: 1,
  })
})

test('ports that are used again are connections of their own, whoever closes', async t => {
  const packets = [0, 2, 4, 6].flatMap(later => to(start + later, 4000, `${host} 80`))
  const turned = talk({ at: start + 8, client: `${host} 80`, server: `${subject} 4000` })
  const d = await dossierOf(t, { 'a.pcap': captureOf([...packets, ...turned]) })
  assert.deepEqual(
    d.services.map(row => [row.client, row.port, row.connections]),
    [
      [subject, 80, 4],
      [host, 4000, 1],
    ],
  )
})

test('one direction alone: flags that have a SYN and an ACK are no SYN-ACK', async t => {
  const oneWay = to(start, 50_000, `${host} 60000`).filter(packet => packet.src === subject)
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.pcap')
  writeFileSync(path, captureOf(oneWay))
  await convert({ paths: [path], out: join(folder, 'a.nf') })
  for (const name of ['a.pcap', 'a.nf']) {
    const own = temporaryFolder(t)
    const d = await dossierOfPaths(own, [join(folder, name)])
    assert.deepEqual(
      d.services.map(row => [row.client, row.server, row.outcome]),
      [[subject, host, 'unanswered']],
      name,
    )
  }
})

test('an nfcapd file made of the capture gives the same dossier, but for what it cannot know', async t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.pcap')
  writeFileSync(path, captureOf(incident()))
  await convert({ paths: [path], out: join(folder, 'flows/') })
  const [first, second] = [temporaryFolder(t), temporaryFolder(t)]
  const capture = await dossierOfPaths(first, [path])
  const nfcapd = await dossierOfPaths(second, [join(folder, 'flows')])
  const figures = (d: Dossier) => ({
    records: d.records,
    bytes: d.bytes,
    packets: d.packets,
    ports: d.ports,
    services: d.services.map(
      ({ role_confidence: _c, first_start: _f, last_end: _l, longest_seconds: _s, ...row }) => row,
    ),
    findings: d.findings.map(({ rule, severity, confidence }) => [rule, severity, confidence]),
  })
  assert.deepEqual(figures(nfcapd), figures(capture))
  assert.ok(nfcapd.findings.every(({ basis }) => basis.every(place => place.record! >= 1)))
  assert.ok(nfcapd.cannot_tell.some(text => text.startsWith('nfcapd')))
})

test('two captures of the same traffic count it once', async t => {
  const packets = incident()
  const one = await dossierOf(t, { 'a.pcap': captureOf(packets) })
  const two = await dossierOf(t, { 'a.pcap': captureOf(packets), 'b.pcap': captureOf(packets, 80) })
  assert.deepEqual([two.bytes, two.packets], [one.bytes, one.packets])
  assert.deepEqual(
    two.services.map(row => row.connections),
    one.services.map(row => row.connections),
  )
  assert.equal(two.vantages.length, 2)
})

test('lost and damaged packets are gaps, and totals are "at least"', async t => {
  const whole = captureOf(incident())
  const d = await dossierOf(t, { 'a.pcap': whole.subarray(0, whole.length - 9) })
  assert.deepEqual(
    d.attack_surface.gaps.map(({ reason }) => reason),
    ['partly-read-file'],
  )
  assert.deepEqual([d.attack_surface.complete, d.bytes.at_least], [false, true])
})

test('the page speaks of captures, and of nothing that only logs have', async t => {
  const d = await dossierOf(t, { 'a.pcap': captureOf(incident(), 96) })
  for (const width of [80, 140]) {
    const page = terminalText(dossierPage(d, { showWork: false, full: true }), { width, color: false })
    golden(`packets-dossier-${width}.golden.txt`, page)
    const said = page.replace(/log-ins?|logs in\s+often/gi, '')
    assert.doesNotMatch(said, /\blogs?\b|\blines?\b|NODATA|SKIPDATA|REJECT|rejected|accepted|zcat|sensor|subscription/i)
  }
  const absent = await dossierOf(t, { 'a.pcap': captureOf(incident(), 96) }, ['192.0.2.77'])
  const page = terminalText(dossierPage(absent, { showWork: true, full: true }), { width: 100, color: false })
  assert.match(page, /gone past the places where the captures of the case were made/)
  assert.doesNotMatch(page, /\blogs?\b|sensor|zcat/i)
})
