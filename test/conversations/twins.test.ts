import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countOnce } from '../../src/conversations/count-once.ts'
import { fate } from '../../src/conversations/fates.ts'
import { numberPairs } from '../../src/conversations/pairs.ts'
import { known, type RecordBlock, type RecordVantage } from '../../src/record-index/block.ts'
import { asBlock, columnNames, makeColumns } from '../../src/record-index/columns.ts'

interface Made {
  /** Seconds. */
  start: number
  vantage: number
  bytes: number
  rejected?: boolean
}

/** Records of one direction between two hosts, a minute each. */
function blockOf(records: readonly Made[]): RecordBlock {
  const columns = makeColumns(records.length, columnNames)
  for (const [row, { start, vantage, bytes, rejected }] of records.entries()) {
    columns.start_us[row] = start * 1e6
    columns.end_us[row] = (start + 60) * 1e6
    columns.source[row] = 1
    columns.destination[row] = 2
    columns.protocol[row] = 6
    columns.action[row] = rejected === true ? 2 : 1
    columns.vantage[row] = vantage
    columns.packets[row] = 1
    columns.bytes[row] = bytes
    columns.known[row] = known.protocol | known.packets | known.bytes | known.start | known.end
  }
  return asBlock(columns, records.length, false)
}

function fatesOf(records: readonly Made[], vantages: number): Uint8Array {
  const block = blockOf(records)
  const points: RecordVantage[] = Array.from({ length: vantages }, (_, i) => ({
    sensor: `eni-${i}`,
    subscription: null,
    longest_us: 60e6,
  }))
  return countOnce(block, numberPairs(block), { evidence: 'logs', vantages: points, isSubject: null }, null)
}

const countedOf = (fates: Uint8Array): number[] => [...fates.keys()].filter(row => fates[row] === fate.counted)

/** Ends quickly: a step for each pair of records would take minutes. */
function quickly<T>(work: () => T): T {
  const before = process.cpuUsage()
  const answer = work()
  const { user } = process.cpuUsage(before)
  assert.ok(user < 5e6, `${user / 1e6} s of CPU`)
  return answer
}

test('a conversation that thousands of sensors saw one after the other is settled quickly, sensor by sensor', () => {
  const sensors = 5000
  // The first has seen the most, and covers those that begin within two minutes of its end; then it is the next one's turn.
  const records = Array.from({ length: sensors }, (_, i) => ({ start: 60 * i, vantage: i, bytes: sensors - i }))
  const counted = countedOf(quickly(() => fatesOf(records, sensors)))
  assert.deepEqual(counted.slice(0, 3), [0, 4, 8])
  assert.equal(counted.length, sensors / 4)
})

test('a conversation that thousands of sensors saw at the same time counts once', () => {
  const sensors = 5000
  const records = Array.from({ length: sensors }, (_, i) => ({
    start: 0,
    vantage: i,
    bytes: 1000 + (i === 1234 ? 1 : 0),
  }))
  assert.deepEqual(countedOf(quickly(() => fatesOf(records, sensors))), [1234])
})

test('ends that two sensors saw used again tens of thousands of times are settled quickly, each time for itself', () => {
  const times = 50_000
  const records = Array.from({ length: times }, (_, i) => [
    { start: 1000 * i, vantage: 0, bytes: 100 + (i % 2) },
    { start: 1000 * i, vantage: 1, bytes: 101 - (i % 2) },
  ]).flat()
  const counted = countedOf(quickly(() => fatesOf(records, 2)))
  assert.equal(counted.length, times)
  assert.deepEqual(counted.slice(0, 4), [1, 2, 5, 6])
})

test('what thousands of sensors let out is compared with what thousands stopped quickly', () => {
  const sensors = 5000
  const records = Array.from({ length: 2 * sensors }, (_, i) => ({
    ...{ start: 10_000 * (i % sensors), vantage: i, rejected: i >= sensors },
    bytes: 1000 * ((i % sensors) + 1),
  })).sort((a, b) => a.start - b.start)
  const counted = countedOf(quickly(() => fatesOf(records, 2 * sensors)))
  assert.deepEqual(
    counted.map(row => records[row]!.rejected),
    Array(sensors).fill(true),
  )
})

test('sums that no number holds exactly are compared exactly', () => {
  const columns = makeColumns(2, columnNames)
  for (const row of [0, 1]) {
    columns.end_us[row] = 60e6
    columns.source[row] = 1
    columns.destination[row] = 2
    columns.vantage[row] = row
    columns.action[row] = 1
    columns.bytes[row] = row
    columns.bytesHigh[row] = 2 ** 22
    columns.known[row] = known.bytes | known.start | known.end
  }
  const block = asBlock(columns, 2, false)
  const vantages = [0, 1].map(i => ({ sensor: `eni-${i}`, subscription: null, longest_us: 60e6 }))
  const fates = countOnce(block, numberPairs(block), { evidence: 'logs', vantages, isSubject: null }, null)
  assert.deepEqual([...fates], [fate.twin, fate.counted])
})
