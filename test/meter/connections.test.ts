import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter } from '../../src/meter/meter.ts'
import { type PlainConnection, plainConnection } from './captures.ts'
import { type PacketFields, packet } from './packets.ts'

const client = '192.0.2.1 40000'
const server = '198.51.100.2 50000'

function connectionsOf(packets: PacketFields[]): PlainConnection[] {
  const connections: PlainConnection[] = []
  const meter = new Meter({ capacity: 2, connections: c => connections.push(plainConnection(c)) })
  for (const fields of packets) meter.add(packet(fields))
  meter.finish()
  return connections.sort((a, b) => a.number - b.number)
}

/** State and history of each connection. */
const lines = (packets: PacketFields[]) => connectionsOf(packets).map(c => `${c.orig} ${c.state} ${c.history} ${c.end}`)

const up = (at: number, flags: string, more: PacketFields = {}) => ({ from: client, to: server, at, flags, ...more })
const down = (at: number, flags: string, more: PacketFields = {}) => ({ from: server, to: client, at, flags, ...more })

const syn = up(0, 'S', { seq: 99 })
const synAck = down(0.1, 'SA', { seq: 499, ack: 100 })
const third = up(0.15, 'A', { seq: 100, ack: 500 })
const request = up(0.2, 'PA', { seq: 100, ack: 500, payload: 50 })
const answer = down(0.3, 'PA', { seq: 500, ack: 150, payload: 200 })
const opened = [syn, synAck, third, request, answer]
const ended = [
  up(1, 'FA', { seq: 150, ack: 700 }),
  down(1.1, 'FA', { seq: 700, ack: 151 }),
  up(1.2, 'A', { seq: 151, ack: 701 }),
]

test('a whole connection: roles, counters, sizes by sequence numbers, times', () => {
  assert.deepEqual(
    connectionsOf([...opened, ...ended]).map(({ number, ...c }) => c),
    [
      {
        orig: client,
        resp: server,
        protocol: 6,
        state: 'SF',
        history: 'ShADdFf',
        origPackets: 5,
        respPackets: 3,
        origIpBytes: 250,
        respIpBytes: 320,
        origBytes: 50,
        respBytes: 200,
        origPayload: 50,
        respPayload: 200,
        // Without the last ACK, which comes when both have closed.
        seconds: 1.1,
        basis: 'syn',
        synAckTime: 100_000,
        handshakeTime: 150_000,
        end: 'finish',
      },
    ],
  )
})

const states: [string, PacketFields[], string][] = [
  ['S0: nobody answers a SYN', [syn], 'S0 S'],
  ['S1: open', opened, 'S1 ShADd'],
  ['S2: only the originator closes', [...opened, ended[0]!], 'S2 ShADdF'],
  ['S3: only the responder closes', [...opened, down(1, 'FA', { seq: 700 })], 'S3 ShADdf'],
  ['REJ: a SYN is refused', [syn, down(0.1, 'RA', { ack: 100 })], 'REJ Sr'],
  ['RSTO: the originator resets', [...opened, up(1, 'R', { seq: 150 })], 'RSTO ShADdR'],
  ['RSTR: the responder resets', [...opened, down(1, 'R', { seq: 700 })], 'RSTR ShADdr'],
  ['RSTOS0: SYN and then RST, without an answer', [syn, up(0.5, 'R', { seq: 100 })], 'RSTOS0 SR'],
  ['SH: SYN and then FIN, without an answer', [syn, up(0.5, 'FA', { seq: 100, ack: 500 })], 'SH SF'],
  ['OTH: in the middle', [up(0, 'PA', { seq: 7, ack: 9, payload: 5 })], 'OTH D'],
  [
    'SF: RST after both have closed changes nothing',
    [...opened, ...ended, down(1.3, 'R', { seq: 701 })],
    'SF ShADdFfr',
  ],
]

for (const [name, packets, expected] of states) {
  test(name, () => assert.deepEqual(lines(packets), [`${client} ${expected} finish`]))
}

test('RSTRH and SHR: an answer whose SYN was not seen', () => {
  const from443 = { from: '198.51.100.2 443', to: client }
  const first = { ...synAck, ...from443 }
  assert.deepEqual(lines([first, { ...from443, at: 1, flags: 'R', seq: 500 }]), [`${client} RSTRH ^hr finish`])
  assert.deepEqual(lines([first, { ...from443, at: 1, flags: 'FA', seq: 500 }]), [`${client} SHR ^hf finish`])
})

test('leaves the roles of a lone SYN-ACK, which may be a scan, and exchanges them with the packet after it', () => {
  assert.deepEqual(lines([synAck]), [`${server} OTH H finish`])
  assert.deepEqual(lines([synAck, third]), [`${client} S1 ^hA finish`])
  const [connection] = connectionsOf([synAck, third, answer])
  assert.deepEqual([connection!.basis, connection!.origPackets, connection!.respPackets], ['syn_ack', 1, 2])
})

test('puts SYN-ACK before SYN right', () => {
  const [connection] = connectionsOf([{ ...synAck, at: 0 }, { ...syn, at: 0.001 }, third])
  assert.deepEqual([connection!.orig, connection!.state, connection!.basis], [client, 'S1', 'syn'])
})

test('exchanges the roles where only the first sender has the port of a server', () => {
  const web = { from: '198.51.100.2 443', to: client }
  assert.deepEqual(lines([{ ...web, flags: 'PA', payload: 5 }]), [`${client} OTH ^d finish`])
  assert.deepEqual(lines([{ ...web, flags: 'S' }]), ['198.51.100.2 443 S0 S finish'])
  assert.deepEqual(lines([{ from: '192.0.2.53 53', to: '192.0.2.1 5000', protocol: 17 }]), [
    '192.0.2.1 5000 SHR ^d finish',
  ])
  const lower = { from: '198.51.100.2 22', to: '192.0.2.1 443', flags: 'PA', payload: 5 }
  assert.deepEqual(lines([lower]), ['192.0.2.1 443 OTH ^d finish'])
})

test('never makes the broadcast or a multicast address the originator', () => {
  for (const to of ['255.255.255.255 9999', '239.1.2.3 9999', 'ff02::1 9999']) {
    const from = to.includes(':') ? '2001:db8::1 53' : '192.0.2.53 53'
    assert.deepEqual(lines([{ from, to, protocol: 17 }]), [`${from} S0 D finish`])
  }
})

test('says what the roles rest on', () => {
  const basisOf = (one: PacketFields) => connectionsOf([one])[0]!.basis
  assert.equal(basisOf(up(0, 'A')), 'first_packet')
  assert.equal(basisOf({ ...up(0, 'A'), to: '198.51.100.2 443' }), 'server_port')
  assert.equal(basisOf({ protocol: 1, type: 8 }), 'icmp_type')
  assert.equal(basisOf({ protocol: 1, type: 0 }), 'first_packet')
  assert.equal(basisOf({ protocol: 47 }), 'first_packet')
})

test('UDP: S0, SF and their history; ICMP: a request and its reply', () => {
  const ask = { from: '192.0.2.1 5000', to: '192.0.2.53 53', protocol: 17, bytes: 60, payload: 32 }
  const reply = { from: '192.0.2.53 53', to: '192.0.2.1 5000', protocol: 17, bytes: 160, payload: 132 }
  assert.deepEqual(lines([ask]), ['192.0.2.1 5000 S0 D finish'])
  assert.deepEqual(lines([ask, reply, ask]), ['192.0.2.1 5000 SF Dd finish'])
  const [ping] = connectionsOf([
    { from: '192.0.2.1', to: '192.0.2.2', protocol: 1, type: 8, id: 3 },
    { from: '192.0.2.2', to: '192.0.2.1', protocol: 1, type: 0, id: 3 },
  ])
  assert.deepEqual([ping!.orig, ping!.state, ping!.origPackets, ping!.respPackets], ['192.0.2.1 8', 'OTH', 1, 1])
})

test('t: data sent again, on the 1st, 10th and 100th time', () => {
  const again = (count: number) => Array.from({ length: count }, () => ({ ...request, at: 0.4 }))
  assert.deepEqual(lines([...opened, ...again(1)]), [`${client} S1 ShADdT finish`])
  assert.deepEqual(lines([...opened, ...again(9)]), [`${client} S1 ShADdT finish`])
  assert.deepEqual(lines([...opened, ...again(10)]), [`${client} S1 ShADdTT finish`])
  assert.deepEqual(lines([...opened, ...again(100)]), [`${client} S1 ShADdTTT finish`])
})

test('g: data that was acknowledged but never seen', () => {
  assert.deepEqual(lines([...opened, down(0.5, 'A', { seq: 700, ack: 1150 })]), [`${client} S1 ShADdaG finish`])
  const late = up(0.4, 'PA', { seq: 250, ack: 700, payload: 10 })
  const missing = up(0.45, 'PA', { seq: 150, ack: 700, payload: 100 })
  const acked = down(0.5, 'A', { seq: 700, ack: 260 })
  assert.deepEqual(lines([...opened, late, acked]), [`${client} S1 ShADdaG finish`])
  assert.deepEqual(lines([...opened, late, missing, acked]), [`${client} S1 ShADdTa finish`])
})

test('w: a closed window; i and q: flags that do not go together', () => {
  assert.deepEqual(lines([...opened, down(0.4, 'A', { seq: 700, ack: 150, window: 0 })]), [
    `${client} S1 ShADdaw finish`,
  ])
  assert.deepEqual(lines([...opened, up(0.4, 'FR', { seq: 150 })]), [`${client} RSTO ShADdI finish`])
  assert.deepEqual(lines([up(0, 'SF', { seq: 5 })]), [`${client} SH Q finish`])
})

test('s, f and r again for other sequence numbers', () => {
  const resets = [1, 2, 2, 3].map(seq => up(2, 'R', { seq: 150 + seq }))
  assert.deepEqual(lines([...opened, ...resets]), [`${client} RSTO ShADdRRR finish`])
})

test('says that a history is longer than there is room for', () => {
  const resets = Array.from({ length: 90 }, (_, i) => up(2, 'R', { seq: 150 + i }))
  const [connection] = connectionsOf([...opened, ...resets])
  assert.equal(connection!.history, `ShADd${'R'.repeat(22)}+`)
})

test('times TCP out after 5 s without an answer, 60 s in the handshake, 5 min beyond', () => {
  assert.equal(lines([syn, { ...syn, at: 4.9 }]).length, 1)
  assert.deepEqual(lines([syn, { ...syn, at: 5 }]), [`${client} S0 S attempt`, `${client} S0 S finish`])
  const late = { ...request, at: 300.299999 }
  assert.equal(lines([...opened, late]).length, 1)
  assert.deepEqual(lines([...opened, { ...late, at: 300.3 }])[0], `${client} S1 ShADd idle`)
})

test('times UDP and ICMP out after 60 s', () => {
  const ask = (at: number) => ({ from: '192.0.2.1 5000', to: '192.0.2.53 53', protocol: 17, at })
  assert.equal(connectionsOf([ask(0), ask(59.9), ask(119.8)]).length, 1)
  assert.deepEqual(
    connectionsOf([ask(0), ask(60)]).map(c => c.end),
    ['idle', 'finish'],
  )
})

test('begins another connection 5 s after the last was closed', () => {
  assert.equal(lines([...opened, ...ended, up(6.09, 'A', { seq: 151, ack: 701 })]).length, 1)
  assert.deepEqual(lines([...opened, ...ended, up(6.1, 'A', { seq: 151, ack: 701 })]), [
    `${client} SF ShADdFf closed`,
    `${client} OTH A finish`,
  ])
})

test('begins another connection with another SYN, open or closed', () => {
  const anew = up(2, 'S', { seq: 77_000 })
  assert.deepEqual(lines([...opened, anew]), [`${client} S1 ShADd reuse`, `${client} S0 S finish`])
  assert.deepEqual(lines([...opened, ...ended, { ...syn, at: 2 }]), [
    `${client} SF ShADdFf reuse`,
    `${client} S0 S finish`,
  ])
  assert.deepEqual(lines([syn, { ...syn, at: 1 }]), [`${client} S0 S finish`])
})

test('does not time a handshake of which a part was sent twice', () => {
  const [connection] = connectionsOf([syn, { ...syn, at: 0.05 }, synAck, third])
  assert.deepEqual([connection!.synAckTime, connection!.handshakeTime], [-1, -1])
  assert.equal(connectionsOf([syn, synAck])[0]!.handshakeTime, -1)
})

test('sizes of connections beyond 4 GiB follow the sequence numbers around', () => {
  const packets: PacketFields[] = [syn, synAck, third]
  let seq = 100
  for (let i = 0; i < 5; i++) {
    packets.push(up(1 + i, 'A', { seq: seq % 2 ** 32, ack: 500, payload: 1_000_000_000, bytes: 1_000_000_040 }))
    seq += 1_000_000_000
  }
  const [connection] = connectionsOf(packets)
  assert.deepEqual([connection!.origBytes, connection!.origPayload], [5e9, 5e9])
})

test('sizes follow the SYN-ACK that was acknowledged, whichever came last', () => {
  const servers = [499, 3_000_000_000, 77_000]
  for (const first of servers) {
    for (const others of [servers, [...servers].reverse()]) {
      const answers = others.map((seq, i) => down(0.1 + i / 100, 'SA', { seq, ack: 100 }))
      const late = down(0.25, 'SA', { seq: 2_000_000_000, ack: 100 })
      const [connection] = connectionsOf([
        ...[syn, ...answers, up(0.15, 'A', { seq: 100, ack: first + 1 })],
        up(0.2, 'PA', { seq: 100, ack: first + 1, payload: 50, bytes: 90 }),
        ...[late, down(0.3, 'PA', { seq: first + 1, ack: 150, payload: 200, bytes: 240 })],
        up(0.4, 'A', { seq: 150, ack: first + 201 }),
      ])
      assert.deepEqual([connection!.origBytes, connection!.respBytes], [50, 200])
    }
  }
})

test('a SYN-ACK that nobody acknowledged adds nothing', () => {
  const [connection] = connectionsOf([syn, synAck, { ...synAck, at: 0.11, seq: 3_000_000_000 }])
  assert.deepEqual([connection!.origBytes, connection!.respBytes], [0, 0])
})

test('numbers that nobody acknowledged are not believed beyond what the packets can hold', () => {
  const far = down(0.5, 'PA', { seq: 1_900_000_000, ack: 150, payload: 10, bytes: 50 })
  const [connection] = connectionsOf([...opened, far])
  assert.ok(connection!.respBytes <= connection!.respIpBytes)
  // What was acknowledged was there, though the capture has not all of it.
  const [gap] = connectionsOf([...opened, up(0.5, 'A', { seq: 150, ack: 5_000_700 })])
  assert.equal(gap!.respBytes, 5_000_200)
})

test('TCP of which only the ports were captured: no flags, no window, no sizes are made up', () => {
  const cut = { hasTcpHeader: false, payload: 60, bytes: 100 }
  const packets = [up(0, '', cut), down(0.1, '', cut), up(0.2, '', cut), up(200, '', cut)]
  assert.deepEqual(lines(packets), [`${client} OTH  finish`])
  const [connection] = connectionsOf(packets)
  assert.deepEqual([connection!.origPackets, connection!.origIpBytes, connection!.basis], [3, 300, 'first_packet'])
  assert.deepEqual([connection!.origBytes, connection!.origPayload, connection!.respBytes], [-1, -1, -1])
  // One side's may be longer, as in answers with options.
  const [half] = connectionsOf([...opened, down(0.4, '', cut)])
  assert.deepEqual([half!.state, half!.origBytes, half!.respBytes], ['S1', 50, -1])
  assert.deepEqual(lines([up(0, 'A', { seq: 7, ack: 9, window: -1 })]), [`${client} OTH A finish`])
})

test('a later fragment of TCP is payload: it has no flags, numbers and window', () => {
  const later = up(0.25, '', { fragment: 2, hasTransport: true, hasTcpHeader: false, payload: 1000, bytes: 1020 })
  const [connection] = connectionsOf([...opened, later])
  assert.deepEqual([connection!.history, connection!.origPayload, connection!.origBytes], ['ShADd', 1050, 50])
})

test('a FIN that is sent again, whatever the gaps, is no other connection', () => {
  const again = (fin: PacketFields) =>
    [0.3, 0.9, 2.1, 4.5, 9.3, 18.9, 38.1, 76.5].map(s => ({ ...fin, at: fin.at! + s }))
  const alone = up(0, 'FA', { seq: 150, ack: 700 })
  assert.deepEqual(lines([alone, ...again(alone)]), [`${client} SH F finish`])
  assert.deepEqual(lines([alone, { ...alone, at: 30 }, { ...alone, at: 90 }]), [`${client} SH F finish`])
  assert.deepEqual(lines([...opened, ...ended, ...again(ended[1]!)]), [`${client} SF ShADdFf finish`])
  // A SYN still begins another one.
  const renewed = up(100, 'S', { seq: 77_000 })
  assert.deepEqual(lines([alone, ...again(alone), renewed]), [`${client} SH F reuse`, `${client} S0 S finish`])
})
