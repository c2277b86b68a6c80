import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder, tidemark } from './cli/run.ts'
import { ethernet, ipv4, type Record as PacketRecord, pcap, tcp } from './packet/build.ts'

const client = '192.0.2.1'
const server = '198.51.100.7'

/** One connection of twenty packets, a second apart. */
const records: PacketRecord[] = Array.from({ length: 20 }, (_, i) => {
  const back = i % 2 === 1
  const [src, dst] = back ? [server, client] : [client, server]
  const payload = tcp(back ? 22 : 40_000, back ? 40_000 : 22, i === 0 ? 2 : i === 1 ? 18 : 16, [1, 2, 3])
  return { time: [1_700_000_000 + i, 0], bytes: ethernet(0x0800, ipv4({ src, dst, protocol: 6 }, payload)) }
})

function volumes(t: TestContext, files: PacketRecord[][]): unknown {
  const folder = join(temporaryFolder(t), 'captures')
  mkdirSync(folder)
  for (const [i, file] of files.entries()) writeFileSync(join(folder, `cut${i}.pcap`), pcap(file))
  const run = tidemark(['investigate', client, folder, '--json'])
  assert.equal(run.status, 0, run.stderr)
  const { bytes, packets, services } = JSON.parse(run.stdout) as {
    bytes: unknown
    packets: unknown
    services: { connections: number }[]
  }
  return { bytes, packets, connections: services.map(service => service.connections) }
}

test('a capture that was cut into files that follow one another counts as the whole one', t => {
  const whole = volumes(t, [records])
  assert.deepEqual(volumes(t, [records.slice(0, 7), records.slice(7, 13), records.slice(13)]), whole)
})

test('the same packets captured at two places count once', t => {
  const whole = volumes(t, [records])
  assert.deepEqual(volumes(t, [records, records.slice(0, 19)]), whole)
})
