import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { communityId } from '../../src/net/community-id.ts'
import { wordsOf } from '../meter/packets.ts'
import { sharedDir, skipWithout } from '../repo.ts'

function idOf(src: string, srcPort: number, dst: string, dstPort: number, protocol: number, seed = 0): string {
  const [src0, src1, src2, src3] = wordsOf(src)
  const [dst0, dst1, dst2, dst3] = wordsOf(dst)
  return communityId({ src0, src1, src2, src3, dst0, dst1, dst2, dst3, protocol, srcPort, dstPort }, seed)
}

// Published with the specification and its reference implementation.
const published: [string, number, string, number, number, string][] = [
  ['128.232.110.120', 34855, '66.35.250.204', 80, 6, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  ['192.168.1.52', 54585, '8.8.8.8', 53, 17, '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  ['192.168.170.8', 7, '192.168.170.56', 7, 132, '1:MP2EtRCAUIZvTw6MxJHLV7N7JDs='],
  ['192.168.0.89', 8, '192.168.0.1', 0, 1, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  ['192.168.0.1', 0, '192.168.0.89', 8, 1, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
]

for (const [src, srcPort, dst, dstPort, protocol, id] of published) {
  test(`gives the published id of protocol ${protocol}, ${src} to ${dst}`, () => {
    assert.equal(idOf(src, srcPort, dst, dstPort, protocol), id)
  })
}

test('is the same for both directions, but for ICMP that has no answer', () => {
  const there = idOf('192.0.2.1', 1000, '198.51.100.2', 443, 6)
  assert.equal(idOf('198.51.100.2', 443, '192.0.2.1', 1000, 6), there)
  assert.notEqual(idOf('192.0.2.1', 1000, '198.51.100.2', 443, 6, 1), there)
  assert.notEqual(idOf('192.0.2.1', 3, '198.51.100.2', 1, 1), idOf('198.51.100.2', 3, '192.0.2.1', 1, 1))
})

test('takes an IPv4-mapped address for IPv4, and ports for nothing where a protocol has none', () => {
  assert.equal(idOf('::ffff:128.232.110.120', 34855, '66.35.250.204', 80, 6), published[0]![5])
  assert.equal(idOf('192.0.2.1', 5, '192.0.2.2', 6, 46), idOf('192.0.2.1', 0, '192.0.2.2', 0, 46))
})

const folder = sharedDir === null ? null : join(sharedDir, 'data', 'pcap', 'community-id-spec', 'baseline')

test('gives every id of the specification', skipWithout(folder), () => {
  interface Row {
    saddr: string
    daddr: string
    sport: number | null
    dport: number | null
    proto: number
    communityid: string
  }
  const rows = (name: string): Row[] => JSON.parse(readFileSync(join(folder ?? '', name), 'utf8'))
  const ids = (row: Row) => idOf(row.saddr, row.sport ?? 0, row.daddr, row.dport ?? 0, row.proto)
  const base64 = rows('baseline_deflt.json')
  const hex = rows('baseline_nob64.json')
  assert.equal(base64.length + hex.length, 46)
  for (const row of base64) assert.equal(ids(row), row.communityid)
  for (const row of hex) assert.equal(`1:${Buffer.from(ids(row).slice(2), 'base64').toString('hex')}`, row.communityid)
})
