// The meter against a slow second implementation, and against itself: other tables, other shards, the same records.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shardOf } from '../../src/meter/conversation.ts'
import { Meter } from '../../src/meter/meter.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { flowsOf, inOrder, type PlainFlow, plainFlow } from './flows-of.ts'
import { randomPackets } from './random-packets.ts'
import { type ReferenceTimes, referenceFlows } from './reference-flows.ts'

const usual: ReferenceTimes = { active: 300, inactive: 60, linger: 5, disorder: 3600 }
const short: ReferenceTimes = { active: 30, inactive: 2, linger: 10, disorder: 4 }

const streams = Array.from({ length: 30 }, (_, seed) => ({ seed, disorder: [0, 0.02, 0.3][seed % 3]! }))

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
      const packets = randomPackets(seed, 1500, disorder)
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

/** The records of a capture that `shards` meters share. */
function shared(packets: readonly Packet[], shards: number, options: object): PlainFlow[] {
  const records: PlainFlow[] = []
  const meters = Array.from({ length: shards }, () => new Meter({ ...options, flows: r => records.push(plainFlow(r)) }))
  for (const one of packets) {
    const own = shardOf(one, shards)
    for (const [i, meter] of meters.entries()) {
      if (i === own) meter.add(one)
      else meter.pass(one.time)
    }
  }
  for (const meter of meters) meter.finish()
  return inOrder(records)
}

test('gives the same records however the packets are shared', () => {
  for (const { seed, disorder } of streams) {
    const packets = randomPackets(1000 + seed, 1500, disorder)
    const options = { ...optionsOf(seed % 2 === 0 ? usual : short), capacity: 3 }
    const whole = shared(packets, 1, options)
    for (const shards of [2, 3, 7])
      assert.deepEqual(shared(packets, shards, options), whole, `seed ${seed}, ${shards} shards`)
  }
})

test('gives each shard its part of the conversations', () => {
  const packets = randomPackets(5, 20_000, 0)
  const counts = [0, 0]
  for (const one of packets) counts[shardOf(one, 2)]!++
  assert.ok(Math.min(...counts) > 5000, `${counts}`)
})
