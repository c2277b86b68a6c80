import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  at,
  at4,
  bit,
  ConnectionTable,
  chunkMask,
  chunkShift,
  words,
} from '../../src/conversations/connection-table.ts'
import { Roles } from '../../src/conversations/ladder.ts'
import { judgeByMeter, MeteredConnections } from '../../src/conversations/metered.ts'

/** TCP connections of the same two ends. */
function tableOf(stretches: readonly (readonly [from: number, to: number])[]): ConnectionTable {
  const table = new ConnectionTable()
  for (const [from, to] of stretches) {
    const connection = table.add()
    const integers = table.integers[connection >>> chunkShift]!
    const floats = table.floats[connection >>> chunkShift]!
    const base = (connection & chunkMask) * words
    integers[2 * base + at4.aHost] = 1
    integers[2 * base + at4.bHost] = 2
    integers[2 * base + at4.ports] = 1000 | (80 << 16)
    integers[2 * base + at4.bits] = 6 | bit.protocolKnown
    floats[base + at.aFirst] = from
    floats[base + at.bFirst] = Number.POSITIVE_INFINITY
    floats[base + at.end] = to
  }
  return table
}

const [a, b] = [[1, 1000] as const, [2, 80] as const]

function judged(table: ConnectionTable, metered: MeteredConnections): Roles {
  const roles = new Roles(table.count)
  judgeByMeter(table, roles, metered)
  return roles
}

test('the metered connection that overlaps and began first tells, of two at once that from the greater end; the surest is believed', () => {
  const metered = new MeteredConnections()
  metered.add(a, b, 6, { beginning: 'syn-ack', start_us: 0, end_us: 100 })
  metered.add(b, a, 6, { beginning: 'syn', start_us: 50, end_us: 60 })
  metered.add(a, b, 6, { beginning: 'syn', start_us: 200, end_us: 300 })
  metered.add(b, a, 6, { beginning: 'syn', start_us: 200, end_us: 250 })
  const roles = judged(
    tableOf([
      [0, 40],
      [55, 70],
      [70, 90],
      [101, 199],
      [150, 240],
      [260, 400],
    ]),
    metered,
  )
  assert.deepEqual([...roles.rule], [1, 1, 1, 0, 1, 1])
  assert.deepEqual([...roles.client], [0, 0, 0, 0, 1, 0])
  assert.deepEqual([...roles.confidence], [95, 98, 95, 0, 98, 98])
})

test('ends that were used again tens of thousands of times are judged quickly', () => {
  const times = 50_000
  const metered = new MeteredConnections()
  for (let i = times - 1; i >= 0; i--)
    metered.add(i % 3 === 0 ? b : a, i % 3 === 0 ? a : b, 6, {
      beginning: 'syn',
      start_us: 100 * i,
      end_us: 100 * i + 50,
    })
  const table = tableOf(Array.from({ length: times }, (_, i) => [100 * i + 10, 100 * i + 60]))
  const before = process.cpuUsage()
  const roles = judged(table, metered)
  assert.ok(process.cpuUsage(before).user < 2e6)
  assert.ok(roles.client.every((client, i) => client === Number(i % 3 === 0)))
})
