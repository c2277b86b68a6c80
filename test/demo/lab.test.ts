import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LAB_SENSORS } from '../../src/demo/background.ts'
import type { GroundTruth } from '../../src/demo/ground-truth.ts'
import { LAB_FOLDER, labConversations, writeLab } from '../../src/demo/lab.ts'
import { copyLab } from './lab-copy.ts'
import { digest, faultsOf, missingCommands, rowsOf, shell } from './shell.ts'

/** SHA-256 of the names and unpacked contents that seed 1 gives on every machine. */
const CONTENT = '6b3cf90513fbeca5c3dd71c34f809b633f62e78861a5e68269e26dc8c6b0a3d4'

const root = mkdtempSync(join(tmpdir(), 'lab-'))
const folder = join(root, 'a', LAB_FOLDER)
const skip = missingCommands('zcat', 'zgrep', 'sort', 'awk')
let truth: GroundTruth

before(async () => {
  truth = await writeLab(join(root, 'a'))
})
after(() => rmSync(root, { recursive: true }))

test("the exercise's shell commands print the published figures", { skip }, () => {
  const found = join(root, 'found.txt')
  assert.equal(shell(folder, 'ls | wc -l'), '579')
  assert.equal(shell(folder, 'zcat *.gz | wc -l'), '173198')
  shell(folder, `zgrep 20.106.124.93 *.gz > ${found}`)
  assert.equal(shell(folder, `wc -l < ${found}`), '33232')
  assert.equal(shell(folder, `sort -nk 15 ${found} | head -1 | awk '{print $15}'`), '1695921755')
  assert.equal(shell(folder, `sort -nk 15 ${found} | tail -1 | awk '{print $15}'`), '1695945545')
  assert.equal(shell(folder, `awk '$10 == "8889" {SUM+=$12} END {printf "%d", SUM}' ${found}`), '265183813')
  assert.equal(shell(folder, `awk '$9 == "80" {SUM+=$12} END {printf "%d", SUM}' ${found}`), '190703527')
})

test('the first records are a rejected scanner and accepted traffic of the web server', { skip }, () => {
  const [header, first, ...next] = shell(folder, 'zcat *.gz | head -4').split('\n')
  assert.equal(
    header,
    'version region account-id instance-id interface-id type srcaddr dstaddr srcport dstport protocol bytes packets ' +
      'tcp-flags start end action log-status flow-direction traffic-path',
  )
  assert.match(first!, / 35\.203\.211\.65 .* REJECT OK ingress -$/)
  for (const line of next) assert.match(line, / 10\.130\.8\.94 .* ACCEPT OK /)
})

test('the attacker uses three services, all accepted, and no other port', () => {
  const services = new Set<string>()
  for (const { row } of rowsOf(folder)) {
    const [source, target, sourcePort, targetPort] = row.slice(6, 10)
    if (source !== '20.106.124.93' && target !== '20.106.124.93') continue
    assert.equal(row[16], 'ACCEPT')
    services.add(Number(sourcePort) < Number(targetPort) ? `${source}:${sourcePort}` : `${target}:${targetPort}`)
  }
  assert.deepEqual([...services].sort(), ['10.130.8.94:22', '10.130.8.94:80', '20.106.124.93:8889'])
  const opened = truth.attacker.services.map(s => `${s.client} -> ${s.server}:${s.port}`)
  assert.deepEqual(opened, [
    '20.106.124.93 -> 10.130.8.94:22',
    '20.106.124.93 -> 10.130.8.94:80',
    '10.130.8.94 -> 20.106.124.93:8889',
  ])
})

test('the conversations named in the exercise exist', () => {
  const names = new Set(labConversations().map(c => `${c.client}:${c.client_port} -> ${c.server}:${c.server_port}`))
  for (const name of [
    '20.106.124.93:51278 -> 10.130.8.94:80',
    '20.106.124.93:38504 -> 10.130.8.94:22',
    '10.130.8.94:36072 -> 20.106.124.93:8889',
  ]) {
    assert.ok(names.has(name), name)
  }
})

test('the ground truth counts what the files hold', () => {
  const counted = { records: 0, no_data: 0, attacker: 0, first: Number.MAX_SAFE_INTEGER, last_start: 0, last_end: 0 }
  for (const { row } of rowsOf(folder)) {
    counted[row[17] === 'OK' ? 'records' : 'no_data']++
    if (row[6] !== truth.attacker.address && row[7] !== truth.attacker.address) continue
    counted.attacker++
    counted.first = Math.min(counted.first, Number(row[14]))
    counted.last_start = Math.max(counted.last_start, Number(row[14]))
    counted.last_end = Math.max(counted.last_end, Number(row[15]))
  }
  const { records, first_start: first, last_start, last_end } = truth.attacker
  const stated = { records: truth.records, no_data: truth.no_data, attacker: records, first, last_start, last_end }
  assert.deepEqual(counted, stated)
  assert.ok(last_end > last_start)
  assert.equal(truth.lines, truth.header_lines + truth.records + truth.no_data + truth.skip_data)
  assert.ok(truth.no_data > 0)
  assert.deepEqual(JSON.parse(readFileSync(join(root, 'a', 'ground-truth.json'), 'utf8')), truth)
  assert.match(readFileSync(join(root, 'a', 'README.txt'), 'utf8'), /RECONSTRUCTED/)
})

test('every row is possible and in its file, and no interface has an unexplained silence', () => {
  const offsets = new Map(LAB_SENSORS.map(s => [s.interface_id, s.window_offset]))
  assert.deepEqual(faultsOf(folder, offsets), [])
})

test('the files are packed as AWS packs them and named as AWS names them', () => {
  const names = readdirSync(folder)
  assert.ok(names.some(name => name.endsWith('_20230928T2355Z_e92fb168.log.gz')))
  for (const name of names) {
    assert.match(
      name,
      /^222677128680_vpcflowlogs_us-east-2_fl-0272f42338e6eeaaf_20230928T\d\d[0-5][05]Z_[0-9a-f]{8}\.log\.gz$/,
    )
    const head = readFileSync(join(folder, name)).subarray(0, 10)
    assert.deepEqual([...head], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0])
  }
})

test('one seed gives the same bytes, another seed others, both the published figures', async () => {
  // That of the runner is of another process.
  const [same, other] = [join(root, 'b'), join(root, 'c')]
  assert.equal(digest(folder, true), CONTENT)
  await copyLab(same)
  assert.equal(digest(join(same, LAB_FOLDER), false), digest(folder, false))
  const { lines, attacker } = await writeLab(other, { seed: 20230928 })
  assert.notEqual(digest(join(other, LAB_FOLDER), true), digest(folder, true))
  assert.deepEqual(
    [lines, attacker.records, attacker.first_start, attacker.last_start],
    [173198, 33232, 1695921755, 1695945545],
  )
})

test('it stops when asked and touches no folder that holds something else', async () => {
  await assert.rejects(writeLab(join(root, 'd'), { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  const foreign = join(root, 'e', LAB_FOLDER)
  mkdirSync(foreign, { recursive: true })
  writeFileSync(join(foreign, 'evidence.log.gz'), 'x')
  await assert.rejects(writeLab(join(root, 'e')), /not a reconstruction/)
  assert.deepEqual(readdirSync(foreign), ['evidence.log.gz'])
  mkdirSync(join(root, 'f'))
  writeFileSync(join(root, 'f', 'investigate.pcap'), 'evidence')
  await assert.rejects(writeLab(join(root, 'f')), /not a reconstruction/)
  assert.equal(readFileSync(join(root, 'f', 'investigate.pcap'), 'utf8'), 'evidence')
})
