import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { convert } from '../src/convert/convert.ts'
import { CAPTURE_FILE, writeCapture } from '../src/demo/capture.ts'
import type { CaptureTruth } from '../src/demo/ground-truth.ts'
import { LAB_FOLDER, labConversations } from '../src/demo/lab.ts'
import { WEB_SERVER } from '../src/demo/network.ts'
import { recordsAt } from '../src/demo/record.ts'
import { addEvidence } from '../src/ingest/add.ts'
import type { Dossier } from '../src/investigate/dossier.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { openCase } from '../src/store/case.ts'
import { copyLab } from './demo/lab-copy.ts'
import { missingCommands, rowsOf, shell } from './demo/shell.ts'
import { type SlowPacket, slowPackets } from './demo/slow-pcap.ts'

/** The lab's steps from the capture on: by hand with others' tools, Tidemark's answer beside it, and what makes the capture believable. */
const attacker = '20.106.124.93'
const host = '10.130.8.94'
/** SHA-256 of the capture that seed 1 gives on every machine. */
const CONTENT = '73b3b92492c5d9bfaa3be67a04c0b308af0a9d9f6064251ad6dd6b0ec47ce137'

const root = mkdtempSync(join(tmpdir(), 'tidemark-capture-'))
const logs = join(root, LAB_FOLDER)
const flowFiles = join(root, 'nfcapd')
const noTcpdump = missingCommands('tcpdump')
const noNfdump = missingCommands('nfpcapd', 'nfdump')
let truth: CaptureTruth
let packets: SlowPacket[]
/** Of the logs and the capture, and of the capture alone. */
let both: Dossier
let alone: Dossier

before(async () => {
  truth = (await copyLab(root)).capture!
  packets = [...slowPackets(join(root, CAPTURE_FILE))]
  both = await dossierOf('both', [logs, join(root, CAPTURE_FILE)])
  alone = await dossierOf('alone', [join(root, CAPTURE_FILE)])
})

async function dossierOf(name: string, paths: string[]): Promise<Dossier> {
  const dir = join(root, `${name}.tidemark`)
  await addEvidence({ case: dir, paths, workers: 2 })
  const opened = await openCase(dir)
  try {
    return await investigate(opened, [attacker])
  } finally {
    await opened.close()
  }
}

after(() => rmSync(root, { recursive: true }))

const seconds = (packet: SlowPacket): number => packet.time / 1e6
const count = (isMeant: (packet: SlowPacket) => boolean): number => packets.filter(isMeant).length
const isWith = (packet: SlowPacket, address: string): boolean => packet.source === address || packet.target === address

test('step 7: what port 80 of the logs answered, by awk', { skip: missingCommands('zcat', 'awk') }, () => {
  const sum = `zcat *.gz | awk '$7 == "${host}" && $8 == "${attacker}" && $9 == 80 { s += $12 } END { printf "%d", s }'`
  assert.equal(shell(logs, sum), '190703527')
})

test('step 7, Tidemark: what port 80 served, and that it was the answer', () => {
  const web = both.services.find(({ port }) => port === 80)!
  assert.deepEqual([web.server, web.client, web.bytes_to_client], [host, attacker, 190_703_527])
})

test('step 8: nfpcapd makes flows of the capture, and nfdump lists the conversations', { skip: noNfdump }, () => {
  mkdirSync(flowFiles)
  shell(root, `nfpcapd -r ${CAPTURE_FILE} -w ${flowFiles} 2>&1`)
  const found = shell(root, `nfdump -R ${flowFiles} -q -o long 'host ${attacker}'`)
  for (const name of [
    `${attacker}:51278 -> +${host}:80 `,
    `${attacker}:38504 -> +${host}:22 `,
    `${host}:36072 -> +${attacker}:8889 `,
  ]) {
    assert.match(found, new RegExp(name.replaceAll('.', '\\.')))
  }
  const total = shell(root, `nfdump -R ${flowFiles} -q -N -o 'fmt:%pkt' | awk '{ s += $1 } END { print s }'`)
  assert.equal(Number(total), truth.packets - truth.unlogged.arp)
})

/** Packets and bytes by ends, however many records there are. */
function sumsOf(folder: string): string {
  const list = `TZ=UTC nfdump -R ${folder} -q -N -o 'fmt:%sa %da %sp %dp %pr %pkt %byt'`
  const add = `awk '{ k = $1 " " $2 " " ($5 == 1 ? "" : $3 " " $4) " " $5; p[k] += $6; b[k] += $7 } END { for (k in p) print k, p[k], b[k] }'`
  return shell(root, `${list} | ${add} | sort`)
}

test('step 8, Tidemark: convert makes the same flows, to the packet and byte', { skip: noNfdump }, async () => {
  const own = join(root, 'converted/')
  const report = await convert({ paths: [join(root, CAPTURE_FILE)], out: own })
  assert.deepEqual([report.packets, report.decoded], [truth.packets, truth.packets - truth.unlogged.arp])
  const ours = sumsOf(own)
  assert.ok(ours.split('\n').length > 4000)
  assert.equal(ours, sumsOf(flowFiles))
})

test('step 9: nothing of the attacker is left without ports 80, 22 and 8889', { skip: noNfdump }, () => {
  const listed = `nfdump -R ${flowFiles} -q -o long | grep '${attacker}'`
  assert.ok(Number(shell(root, `${listed} | wc -l`)) > 1000)
  assert.equal(shell(root, `${listed} | grep -v ':80 ' | grep -v ':22 ' | grep -v ':8889 ' | wc -l`), '0')
})

test('step 9, Tidemark: the same by port number, and complete', () => {
  const surface = alone.attack_surface
  assert.deepEqual(
    [...surface.answered, ...surface.refused, ...surface.unanswered]
      .map(({ server, port }) => `${server}:${port}`)
      .sort(),
    [`${host}:22`, `${host}:80`, `${attacker}:8889`],
  )
  assert.equal(surface.complete, true)
  const own = packets.filter(packet => isWith(packet, attacker))
  const sum = (of: SlowPacket[]): number => of.reduce((bytes, packet) => bytes + packet.ip_bytes, 0)
  assert.deepEqual(
    [alone.bytes.from_subject, alone.bytes.to_subject],
    [sum(own.filter(packet => packet.source === attacker)), sum(own.filter(packet => packet.target === attacker))],
  )
  for (const { port, packets: all, ip_bytes, conversations } of truth.attacker) {
    const found = alone.services.find(service => service.port === port)!
    assert.deepEqual(
      [
        Number(found.packets_to_server) + Number(found.packets_to_client),
        Number(found.bytes_to_server) + Number(found.bytes_to_client),
      ],
      [all, ip_bytes],
    )
    assert.equal(found.connections, conversations)
    assert.equal(found.role_basis, 'syn')
  }
})

const noServices = existsSync('/etc/services') ? false : 'needs /etc/services'
test('step 10: 8889 is no service of the system’s list', { skip: noServices }, () => {
  assert.doesNotMatch(readFileSync('/etc/services', 'utf8'), /\s8889\/tcp/)
})

test('step 10, Tidemark: what IANA calls it, and that nobody approved of it', () => {
  for (const { services } of [both, alone]) {
    const pushed = services.find(({ port }) => port === 8889)!
    assert.deepEqual([pushed.name, pushed.standard, pushed.client], ['ddi-tcp-2', false, host])
  }
})

test('step 11, Tidemark: logs and capture agree on every connection of the attacker', () => {
  const found = both.correlation_summary!
  const conversations = truth.attacker.reduce((sum, one) => sum + one.conversations, 0)
  assert.deepEqual(
    [found.capture_connections, found.full + found.time, found.capture_only],
    [conversations, conversations, 0],
  )
  assert.ok(found.full >= conversations - 5)
  assert.deepEqual(found.reasons.map(({ reason }) => reason).sort(), [
    'outside-the-capture',
    'reaches-beyond-the-capture',
  ])
  // By port number, and in the capture's time the same services in both.
  assert.deepEqual(
    found.surface.map(row => [`${row.server}:${row.port}`, row.capture_connections === row.matched]).sort(),
    [
      [`${host}:22`, true],
      [`${host}:80`, true],
      [`${attacker}:8889`, true],
    ].sort(),
  )
  assert.ok(Math.abs(found.clock_offset.seconds! + truth.clock_offset_seconds) < 0.5)
  assert.ok(found.clock_offset.connections > 700)
})

test('steps 11 and 12, Tidemark: the same conclusion from packets alone', () => {
  const rules = (d: Dossier): string[] => d.findings.map(({ rule }) => rule).sort()
  assert.deepEqual(rules(alone), rules(both))
  for (const { basis } of alone.findings) assert.ok(basis.length > 0 && basis.every(place => place.packet! > 0))
})

test('steps 11 and 12: the conclusion, and what an egress list would have stopped', { skip: noTcpdump }, () => {
  const said = (filter: string): string => shell(root, `tcpdump -nr ${CAPTURE_FILE} --count '${filter}' 2>/dev/null`)
  const opened = 'tcp[tcpflags] & (tcp-syn | tcp-ack) == tcp-syn'
  // Hundreds of log-ins in the last minutes of the brute force, one session, one connection outward.
  const last = packets.findLast(packet => packet.target_port === 80 && packet.source === attacker)!
  assert.ok(seconds(last) > truth.from)
  assert.match(said(`src ${attacker} and dst port 22 and ${opened}`), /^1 packet$/)
  assert.match(said(`src ${host} and dst port 8889 and ${opened}`), /^1 packet$/)
  assert.ok(Number.parseInt(said(`src ${attacker} and dst port 80 and ${opened}`), 10) > 500)
  // Ports that the server itself may open connections to: all of the attacker's transfer is outside.
  const outward = said(`src ${host} and ${opened} and not dst port (53 or 80 or 123 or 443)`)
  assert.match(outward, /^1 packet$/)
})

test('tcpdump counts the packets and finds no wrong checksum', { skip: noTcpdump }, () => {
  assert.equal(shell(root, `tcpdump -nr ${CAPTURE_FILE} --count 2>/dev/null`), `${truth.packets} packets`)
  const complaints = `tcpdump -nvvr ${CAPTURE_FILE} 2>&1 | grep -cE 'incorrect|bad (tcp|udp)|bad-' || true`
  assert.equal(shell(root, complaints), '0')
})

test('checksums hold for the payload that the snap length cuts off', { skip: noTcpdump }, async () => {
  const whole = join(root, 'whole')
  mkdirSync(whole)
  const ports = new Set([51278, 38504])
  const some = labConversations().filter(c => ports.has(c.client_port) || c.client_port % 97 === 0)
  const rows = some.flatMap(conversation => recordsAt(WEB_SERVER, conversation))
  const { packets: written } = await writeCapture(whole, rows, 1, { snap_length: 65535 })
  const checked = `tcpdump -nvvr ${CAPTURE_FILE} 2>/dev/null`
  assert.equal(shell(whole, `${checked} | grep -cE 'incorrect|bad (tcp|udp)|bad-' || true`), '0')
  assert.equal(shell(whole, `tcpdump -nr ${CAPTURE_FILE} --count 2>/dev/null`), `${written} packets`)
  assert.ok(Number(shell(whole, `${checked} | grep -c 'cksum.*(correct).*length 1448'`)) > 100)
})

test('the packets of a window and direction add up to the record of the logs', () => {
  const sums = new Map<string, { packets: number; bytes: number; flags: number; first: number; last: number }>()
  const windowAt = (time: number): number => Math.floor((time - WEB_SERVER.window_offset) / 60)
  for (const packet of packets) {
    const time = seconds(packet) - truth.clock_offset_seconds
    const { source, target, source_port, target_port, protocol } = packet
    const key = [source, target, source_port, target_port, protocol, windowAt(time)].join(' ')
    const sum = sums.get(key) ?? { packets: 0, bytes: 0, flags: 0, first: time, last: time }
    sums.set(key, sum)
    sum.packets++
    sum.bytes += packet.ip_bytes
    // Flow logs OR the flags that open and close, and ACK only with SYN.
    sum.flags |= packet.flags & 2 ? packet.flags & 18 : packet.flags & 5
    sum.last = time
  }
  const [from, until] = [truth.from - truth.clock_offset_seconds, truth.until - truth.clock_offset_seconds]
  const wrong: string[] = []
  let [inside, firstHits, lastHits, several] = [0, 0, 0, 0]
  for (const { row } of rowsOf(logs)) {
    const [source, target, sourcePort, targetPort, protocol, bytes, count, flags, start, end] = row.slice(6, 16)
    if (row[4] !== WEB_SERVER.interface_id || row[16] !== 'ACCEPT') continue
    const key = [source, target, sourcePort, targetPort, protocol, windowAt(Number(start))].join(' ')
    const sum = sums.get(key)
    sums.delete(key)
    if (Number(start) < from || Number(end) + 1 > until) continue
    inside++
    const equal = sum && [sum.packets, sum.bytes, sum.flags].join() === [count, bytes, flags].map(Number).join()
    if (!equal) wrong.push(`${key}: ${JSON.stringify(sum)}, not ${count} packets ${bytes} bytes flags ${flags}`)
    else if (sum.first < Number(start) || sum.last >= Number(end) + 1) wrong.push(`${key}: outside of its record`)
    else {
      if (Math.floor(sum.first) === Number(start)) firstHits++
      if (sum.packets > 1) several++
      if (sum.packets > 1 && Math.floor(sum.last) === Number(end)) lastHits++
    }
  }
  assert.deepEqual(wrong, [])
  assert.equal(inside, truth.records_inside)
  // Every record begins in the second of its first packet; a few end later than their last one, as AWS says they may.
  assert.equal(firstHits, inside)
  assert.ok(lastHits > 0.94 * several)
  // What is left are the kinds that no flow log holds.
  const services = ['169.254.', '10.130.0.2', '10.130.8.1']
  for (const key of sums.keys()) {
    assert.ok(key.trim().startsWith('0 0 -1') || services.some(name => key.includes(name)), key)
  }
})

test('the ground truth counts what the file holds', () => {
  const times = packets.map(packet => packet.time)
  assert.equal(statSync(join(root, CAPTURE_FILE)).size, truth.bytes)
  assert.ok(truth.bytes < 40e6)
  assert.equal(packets.length, truth.packets)
  assert.deepEqual([times[0]! / 1e6, times.at(-1)! / 1e6], [truth.first_time, truth.last_time])
  assert.ok(times.every((time, i) => i === 0 || time >= times[i - 1]!))
  assert.ok(packets.every(({ kept, length }) => kept === Math.min(length, truth.snap_length)))
  assert.ok(packets.every(packet => packet.ether_type === 0x0806 || isWith(packet, host)))
  for (const { port, ...stated } of truth.attacker) {
    const own = packets.filter(p => isWith(p, attacker) && (p.source_port === port || p.target_port === port))
    const talks = new Set(own.map(p => (p.target_port === port ? p.source_port : p.target_port)))
    const ip_bytes = own.reduce((sum, p) => sum + p.ip_bytes, 0)
    // A client port may come twice.
    assert.ok(talks.size <= stated.conversations)
    assert.deepEqual([own.length, ip_bytes], [stated.packets, stated.ip_bytes])
  }
  assert.deepEqual(
    truth.attacker.map(({ port }) => port),
    [22, 80, 8889],
  )
  const counted = {
    arp: count(p => p.ether_type === 0x0806),
    dhcp: count(p => isWith(p, '10.130.8.1')),
    dns: count(p => isWith(p, '10.130.0.2')),
    ntp: count(p => isWith(p, '169.254.169.123')),
    imds: count(p => isWith(p, '169.254.169.254')),
  }
  assert.deepEqual(counted, truth.unlogged)
})

test('sequence numbers follow one another, and nothing is acknowledged that was not sent', () => {
  const next = new Map<string, number>()
  const wrong: string[] = []
  const known = new Map<string, number>()
  let [bare, repeated] = [0, 0]
  for (const { protocol, source, target, source_port, target_port, flags, seq, ack, payload } of packets) {
    if (protocol !== 6) continue
    const own = `${source}:${source_port} ${target}:${target_port}`
    const other = `${target}:${target_port} ${source}:${source_port}`
    const opens = (flags & 2) > 0
    if (!opens && next.has(own) && next.get(own) !== seq) wrong.push(`${own}: ${seq}, not ${next.get(own)}`)
    const sent = next.get(other)
    if (flags & 16 && sent !== undefined && ((sent - ack) | 0) < 0) wrong.push(`${own} acknowledges ${ack} of ${sent}`)
    if (flags === 16 && payload === 0) {
      bare++
      if (known.get(own) === ack) repeated++
    }
    known.set(own, ack)
    next.set(own, (seq + payload + (flags & 3 ? 1 : 0)) >>> 0)
  }
  assert.deepEqual(wrong, [])
  // An acknowledgement that comes alone says something new.
  assert.ok(bare > 100_000 && repeated < 0.001 * bare, `${repeated} of ${bare}`)
})

test('one seed gives the same bytes', () => {
  assert.equal(
    createHash('sha256')
      .update(readFileSync(join(root, CAPTURE_FILE)))
      .digest('hex'),
    CONTENT,
  )
})
