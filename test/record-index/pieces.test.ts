import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnArray } from '../../src/record-index/columns.ts'
import { decode, encode, encodedMax } from '../../src/record-index/encoding.ts'
import { HostNumbers } from '../../src/record-index/hosts.ts'
import { sortedRows } from '../../src/record-index/order.ts'
import { Database } from '../../src/store/duckdb.ts'
import { randomFrom } from '../filter/flows.ts'

const random = randomFrom(11)
const below = (n: number): number => Math.floor(random() * n)

test('rows are sorted by key after key, then by word after word, equal ones in their order', () => {
  const most = [1, 2, 30, 256, 70_000, 2 ** 32]
  for (const rows of [0, 1, 2, 24, 25, 300, 5000]) {
    for (let round = 0; round < 10; round++) {
      const keys = Array.from({ length: 5 }, () => {
        const range = most[below(most.length)]!
        return Uint32Array.from({ length: rows }, () => below(range))
      })
      const wanted = Array.from({ length: rows }, (_, row) => row).sort((a, b) => {
        const key = keys.find(one => one[a] !== one[b])
        return key === undefined ? a - b : key[a]! - key[b]!
      })
      for (const leading of [0, 1, 3, 5]) {
        const rest = keys.slice(leading)
        // The first word of each row takes no part.
        const words = Uint32Array.from({ length: rows * (rest.length + 1) }, (_, i) => {
          const word = i % (rest.length + 1)
          return word === 0 ? below(2 ** 32) : rest[word - 1]![Math.floor(i / (rest.length + 1))]!
        })
        const some = { words, stride: rest.length + 1, first: 1 }
        assert.deepEqual([...sortedRows(some, rows, keys.slice(0, leading))], wanted)
      }
    }
  }
})

test('hosts keep their numbers, and are ranked by their addresses', () => {
  const hosts = new HostNumbers()
  const words = [0, 1, 0xffff, 0xffff_ffff]
  const numbers = new Map<string, number>()
  const addresses = Array.from({ length: 60_000 }, () => {
    if (random() < 0.5) return [below(2 ** 32), 0xffff, 0, 0]
    return [below(40_000), ...Array.from({ length: 3 }, () => words[below(4)]!)]
  })
  for (const address of [...addresses, ...addresses]) {
    const number = hosts.numberOf(...(address as [number, number, number, number]))
    assert.equal(numbers.get(address.join()) ?? number, number)
    numbers.set(address.join(), number)
  }
  const { count, hi, lo, ranks } = hosts.ranked()
  assert.equal(count, numbers.size)
  const value = (rank: number): bigint => (hi[rank]! << 64n) | lo[rank]!
  for (let rank = 1; rank < count; rank++) assert(value(rank - 1) < value(rank))
  for (const [text, number] of numbers) {
    const address = text.split(',').reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
    assert.equal(value(ranks[number]!), address)
  }
})

test('columns come back as they were', () => {
  const kinds = [Uint8Array, Uint16Array, Uint32Array, Float64Array]
  const ranges = [1, 2, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 52]
  for (const Kind of kinds) {
    for (const range of ranges) {
      for (const base of [0, 7, 1_700_000_000_000_000, -5_000_000]) {
        for (const unit of [1, 1_000_000]) {
          const rows = below(50)
          const values: ColumnArray = new Kind(rows)
          for (let row = 0; row < rows; row++) {
            const value = base + Math.floor(below(range) / unit) * unit
            values[row] = Kind === Float64Array ? value : Math.abs(value)
          }
          const back: ColumnArray = new Kind(rows)
          decode(encode(values, rows, new ArrayBuffer(encodedMax(rows))), rows, back)
          assert.deepEqual(back, values)
        }
      }
    }
  }
})

test('columns of numbers are read to their end, or the failure is told', async () => {
  const db = await Database.open({ threads: 2, memoryLimit: '512MB', tempDirectory: null })
  try {
    const answer = await db.stream(
      'SELECT i::UINTEGER, CASE WHEN i % 3 > 0 THEN i::UBIGINT END, i % 2 = 0 FROM range(10000) t(i)',
    )
    let rows = 0
    for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
      const [first, second, third] = batch.columns
      const numbers = new Uint32Array(first!.data)
      const wide = new BigUint64Array(second!.data)
      for (let row = 0; row < batch.rows; row++, rows++) {
        assert.equal(numbers[row], rows)
        const isThere = ((second!.valid![row >>> 3]! >>> (row & 7)) & 1) === 1
        assert.equal(isThere, rows % 3 > 0)
        if (isThere) assert.equal(wide[row], BigInt(rows))
        assert.equal(new Uint8Array(third!.data)[row], rows % 2 === 0 ? 1 : 0)
      }
    }
    assert.equal(rows, 10_000)
    const text = await db.stream(`SELECT 'a word' AS word`)
    await assert.rejects(text.nextColumns(), /no column of numbers: word/)
    await assert.rejects(async () => {
      const failing = await db.stream(
        `SELECT CASE WHEN i > 9000 THEN error('broken') ELSE i END::UBIGINT FROM range(10000) t(i)`,
      )
      while ((await failing.nextColumns()) !== null);
    }, /broken/)
  } finally {
    db.close()
  }
})
