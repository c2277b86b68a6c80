// What a trial counts, by verdicts that are given.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answersStopped, type Judge, JudgeOfAll, passes, stopped, undecided } from '../../src/controls/judge.ts'
import type { Traffic } from '../../src/controls/traffic.ts'
import { tryOn } from '../../src/controls/trial.ts'
import { makeConnections, mark, outcome } from '../../src/conversations/connections.ts'

/** Host 0 is protected; each row is a connection from host 1 to it, of the attack or not, with the bytes that it sent. */
function trafficOf(rows: readonly { attack: 0 | 1 | 2; bytes: number; marks?: number }[]): Traffic {
  const connections = makeConnections(rows.length)
  for (const [i, { bytes, marks = 0 }] of rows.entries()) {
    connections.client[i] = 1
    connections.port[i] = 1000 + i
    connections.protocol[i] = 17
    connections.bytesUp[i] = bytes
    connections.bytesDown[i] = 1
    connections.outcome[i] = outcome.answered
    connections.marks[i] = marks
    connections.place[i] = i
  }
  const bits = (...some: number[]): Uint8Array => Uint8Array.from(some)
  return {
    hosts: { count: 2, hi: new BigUint64Array(2), lo: BigUint64Array.from([0xffff_0a00_0001n, 0xffff_cb00_7107n]) },
    ...{ protected: bits(1, 0), others: bits(0, 0), rejected: 0 },
    marks: { subject: bits(0, 1), internal: bits(1, 0), services: [] },
    pieces: [{ connections, attack: Uint8Array.from(rows, ({ attack }) => attack) }],
  }
}

const settings = { hasSizes: true, withOthers: false, most: 1000 }

const judgeOf = (...verdicts: number[]): Judge => ({
  reasons: ['why not'],
  judge: (_, into) => into.set(verdicts),
})

test('where only answers are stopped, the attack goes on, and what is innocent is broken', () => {
  const traffic = trafficOf([
    { attack: 1, bytes: 100 },
    { attack: 0, bytes: 10 },
  ])
  const { attack, innocent } = tryOn(traffic, judgeOf(answersStopped, answersStopped), settings)
  assert.deepEqual([attack.stopped_connections, attack.let_through_total], [0, 1])
  assert.deepEqual([innocent.broken_connections, innocent.broken_bytes, innocent.peers], [1, 11, ['203.0.113.7']])
})

test('what cannot be decided is neither stopped nor let through, and has its reason', () => {
  const traffic = trafficOf([
    { attack: 1, bytes: 100 },
    { attack: 0, bytes: 10 },
  ])
  const { attack, innocent, not_decidable } = tryOn(traffic, judgeOf(undecided, passes), settings)
  assert.deepEqual([attack.stopped_connections, attack.let_through_total, attack.undecided_connections], [0, 0, 1])
  assert.equal(innocent.undecided_connections, 0)
  assert.deepEqual(not_decidable, [{ of: 'attack', reason: 'why not', connections: 1, bytes: 101 }])
})

test('sums beyond 2^53 are exact, and lower bounds are said', () => {
  const large = Number.MAX_SAFE_INTEGER
  const traffic = trafficOf([
    { attack: 1, bytes: large },
    { attack: 1, bytes: large, marks: mark.atLeast },
  ])
  const { attack, at_least } = tryOn(traffic, judgeOf(stopped, stopped), settings)
  assert.equal(attack.stopped_bytes, 2n * BigInt(large) + 2n)
  assert.equal(attack.stopped_bytes_in, 2n * BigInt(large))
  assert.equal(attack.stopped_bytes_out, 2)
  assert.equal(at_least, true)
})

test('bytes that no record tells are null, not zero', () => {
  const { attack } = tryOn(trafficOf([{ attack: 1, bytes: 0 }]), judgeOf(stopped), {
    hasSizes: false,
    withOthers: false,
    most: 1000,
  })
  assert.deepEqual([attack.bytes, attack.stopped_bytes, attack.stopped[0]!.bytes], [null, null, null])
})

test('hosts of the same subnet count only where they are asked for', () => {
  const traffic = trafficOf([{ attack: 2, bytes: 5 }])
  assert.equal(tryOn(traffic, judgeOf(stopped), settings).innocent.connections, 0)
  assert.equal(tryOn(traffic, judgeOf(stopped), { ...settings, withOthers: true }).innocent.broken_connections, 1)
})

test('of several at once, what one stops is stopped, whatever the others cannot decide', () => {
  const into = new Uint32Array(3)
  const all = makeConnections(3)
  const judge = new JudgeOfAll([judgeOf(undecided, undecided, passes), judgeOf(stopped, passes, passes)])
  judge.judge(all, into)
  assert.deepEqual([...into], [stopped, undecided, passes])
  assert.deepEqual(judge.reasons, ['why not'])
})

test('probes of strangers are told apart from what is broken, and hosts of one’s own stand first', () => {
  const seconds = 1_000_000
  const rows = [
    { client: 0, packets: 2, up: 10 },
    { client: 1, packets: 2, up: 4000 },
    { client: 1, packets: 3, up: 120 },
    { client: 2, packets: 2, up: 80 },
    { client: 2, packets: 4, up: 160 },
    { client: 3, packets: 2, up: 80, lasts: 61 },
    { client: 4, packets: 2, up: 80, marks: mark.atLeast },
    { client: 5, packets: 1, up: 60, protocol: 17 },
    { client: 6, packets: 1, up: 60, protocol: 17, outcome: outcome.unanswered },
  ]
  const connections = makeConnections(rows.length)
  for (const [i, one] of rows.entries()) {
    connections.client[i] = one.client
    connections.server[i] = 7
    connections.port[i] = 22
    connections.protocol[i] = one.protocol ?? 6
    connections.packetsUp[i] = one.packets
    connections.bytesUp[i] = one.up
    connections.end_us[i] = (one.lasts ?? 60) * seconds
    connections.outcome[i] = one.outcome ?? outcome.answered
    connections.marks[i] = one.marks ?? 0
  }
  const hosts = 8
  const isOwn = Uint8Array.from({ length: hosts }, (_, host) => (host === 0 || host === 7 ? 1 : 0))
  const traffic: Traffic = {
    hosts: {
      count: hosts,
      hi: new BigUint64Array(hosts),
      lo: BigUint64Array.from({ length: hosts }, (_, i) => BigInt(i)),
    },
    ...{ protected: isOwn, others: new Uint8Array(hosts), rejected: 0 },
    marks: { subject: new Uint8Array(hosts), internal: isOwn, services: [] },
    pieces: [{ connections, attack: new Uint8Array(rows.length) }],
  }
  const { innocent } = tryOn(traffic, judgeOf(...rows.map(() => stopped)), settings)
  assert.deepEqual(innocent.probes, { connections: 3, peers: 2, packets_most: 3 })
  assert.equal(innocent.broken_connections, rows.length)
  assert.deepEqual(
    innocent.broken.slice(0, 2).map(({ bytes }) => bytes),
    [10, 4120],
  )
})

test('lists end where they are told to, and sums do not', () => {
  const rows = Array.from({ length: 7 }, (_, i) => ({ attack: (i % 2) as 0 | 1, bytes: 10 }))
  const { attack, innocent } = tryOn(trafficOf(rows), judgeOf(...rows.map(() => stopped)), { ...settings, most: 2 })
  assert.deepEqual([attack.stopped.length, attack.stopped_total, attack.stopped_connections], [2, 3, 3])
  assert.deepEqual([innocent.broken.length, innocent.broken_total, innocent.broken_bytes], [2, 4, 44])
})
