// The meter against a slow second implementation, and against itself: other tables, other shards, the same records.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConnectionRecord } from '../../src/meter/connection-record.ts'
import { shardOf } from '../../src/meter/conversation.ts'
import { Meter } from '../../src/meter/meter.ts'
import type { MeteredFlow } from '../../src/meter/metered-flow.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { type PlainConnection, plainConnection } from './captures.ts'
import { flowsOf, inOrder, type PlainFlow, plainFlow } from './flows-of.ts'
import { randomPackets } from './random-packets.ts'
import { type ReferenceTimes, referenceFlows } from './reference-flows.ts'

const usual: ReferenceTimes = { active: 300, inactive: 60, linger: 5, disorder: 3600 }
const short: ReferenceTimes = { active: 30, inactive: 2, linger: 10, disorder: 4 }

const streams = Array.from({ length: 15 }, (_, seed) => ({ seed, disorder: [0, 0.02, 0.3][seed % 3]! }))

function optionsOf(times: ReferenceTimes) {
  const { active, inactive, linger, disorder } = times
  return {
    timeouts: { active: active * 1e6, inactive: inactive * 1e6, linger: linger * 1e6 },
    disorder: disorder * 1e6,
  }
}

for (const [name, times] of Object.entries({ usual, short })) {
  test(`gives the records of a slow implementation, record for record (${name} timeouts)`, () => {
    for (const { seed, disorder } of streams) {
      const packets = randomPackets(seed, 1200, disorder)
      const expected = inOrder(referenceFlows(packets, times))
      assert.ok(expected.length > 500, 'the stream has many records')
      for (const capacity of [1, 7, 4096]) {
        assert.deepEqual(
          flowsOf(packets, { ...optionsOf(times), capacity }),
          expected,
          `seed ${seed}, capacity ${capacity}`,
        )
      }
    }
  })
}

/** Records and connections of a capture that `shards` meters share. */
function shared(packets: readonly Packet[], shards: number, options: object) {
  const flows: PlainFlow[] = []
  const connections: PlainConnection[] = []
  const sinks = {
    flows: (r: MeteredFlow) => flows.push(plainFlow(r)),
    connections: (c: ConnectionRecord) => connections.push(plainConnection(c)),
  }
  const meters = Array.from({ length: shards }, () => new Meter({ ...options, ...sinks }))
  for (const one of packets) {
    const own = shardOf(one, shards)
    for (const [i, meter] of meters.entries()) {
      if (i === own) meter.add(one)
      else meter.pass(one.time)
    }
  }
  for (const meter of meters) meter.finish()
  return { flows: inOrder(flows), connections: connections.sort((a, b) => a.number - b.number) }
}

test('gives the same records and connections however the packets are shared', () => {
  for (const { seed, disorder } of streams) {
    const packets = randomPackets(1000 + seed, 1200, disorder)
    const options = { ...optionsOf(seed % 2 === 0 ? usual : short), capacity: 3 }
    const whole = shared(packets, 1, options)
    for (const shards of [2, 3, 7]) {
      assert.deepEqual(shared(packets, shards, options), whole, `seed ${seed}, ${shards} shards`)
    }
    for (const capacity of [1, 4096]) {
      assert.deepEqual(shared(packets, 1, { ...options, capacity }), whole, `seed ${seed}, capacity ${capacity}`)
    }
  }
})

test('counts every packet and byte in one record and one connection', () => {
  for (const { seed, disorder } of streams) {
    const packets = randomPackets(2000 + seed, 1200, disorder)
    const { flows, connections } = shared(packets, 1, optionsOf(short))
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
    const bytes = sum(packets.map(one => one.ipBytes))
    assert.equal(sum(flows.map(r => r.packets)), packets.length)
    assert.equal(sum(flows.map(r => r.bytes)), bytes)
    assert.equal(sum(connections.map(c => c.origPackets + c.respPackets)), packets.length)
    assert.equal(sum(connections.map(c => c.origIpBytes + c.respIpBytes)), bytes)
    assert.ok(connections.every(c => c.seconds >= 0 && c.handshakeTime >= -1 && c.origBytes >= 0 && c.respBytes >= 0))
    assert.ok(flows.every(r => r.last >= r.first))
  }
})

test('gives each shard its part of the conversations', () => {
  const packets = randomPackets(5, 20_000, 0)
  const counts = [0, 0]
  for (const one of packets) counts[shardOf(one, 2)]!++
  assert.ok(Math.min(...counts) > 5000, `${counts}`)
})
