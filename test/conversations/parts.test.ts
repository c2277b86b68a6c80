import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { at, at4, ConnectionTable, lack } from '../../src/conversations/connection-table.ts'
import { Roles } from '../../src/conversations/ladder.ts'
import { type DetailedConnections, PartReader } from '../../src/conversations/part-reader.ts'
import type { Spill } from '../../src/conversations/spill.ts'
import {
  usualLimits,
  type WholeConversations,
  type WholeLimits,
  wholeConversations,
} from '../../src/conversations/whole.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import type { EvidenceKind } from '../../src/records/evidence-kind.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { temporaryFolder } from '../cli/run.ts'
import { captureOf, talk } from '../handmade.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'

const folders = Number(process.env['TIDEMARK_PART_FOLDERS'] ?? 4)

/** Everything that the whole way tells: of the connections in their order, and of each record. */
function told(whole: WholeConversations, spill: Spill): { connections: string[]; records: string[] } {
  const readers = whole.parts.map(part => new PartReader(part, spill))
  const room = whole.fates.length
  const into: DetailedConnections = {
    ...{ table: new ConnectionTable(), roles: new Roles(room) },
    ...{ flags: new Uint8Array(2 * room), hasFlags: new Uint8Array(2 * room).fill(1), seen: new Uint32Array(2 * room) },
  }
  const sensors: string[] = []
  for (const part of whole.begins) {
    if (part === 0) continue
    sensors.push(whole.parts[part - 1]!.details!.names[readers[part - 1]!.next(into)]!)
  }
  const { table, roles, flags, hasFlags, seen } = into
  const connections = Array.from({ length: table.count }, (_, i) =>
    JSON.stringify([
      ...[table.protocol(i), table.port(i, 0), table.port(i, 1), table.bits(i), sensors[i]],
      ...[roles.rule[i], roles.client[i], roles.confidence[i], table.start(i), table.number(i, at.end)],
      ...Object.values(at4).flatMap(place => (place === at4.previous ? [] : [table.integer(i, place)])),
      ...([0, 1] as const).flatMap(side => [String(table.bytes(i, side)), String(table.packets(i, side))]),
      ...[0, 1].flatMap(side => [flags[2 * i + side], seen[2 * i + side]]),
      ...[0, 1].map(side => table.integer(i, at4.aRecords + side) === 0 || hasFlags[2 * i + side] !== 0),
      ...Object.values(lack).map(what => table.lacks(i, what)),
    ]),
  )
  const [role, service] = [new Uint8Array(whole.answers!.roles), new Uint32Array(whole.answers!.services)]
  const records = Array.from({ length: room }, (_, i) => `${whole.fates[i]} ${role[i]} ${service[i]}`)
  return { connections, records }
}

async function toldOf(c: Case, evidence: EvidenceKind, limits: WholeLimits): Promise<ReturnType<typeof told>> {
  return await withRecordIndex(c, evidence, index =>
    wholeConversations(
      c,
      index,
      { evidence, own: [] },
      { connections: true, records: true },
      async (whole, spill) => told(whole, spill),
      limits,
    ),
  )
}

test(`conversations do not depend on parts and threads, in ${folders} random folders`, async t => {
  let compared = 0
  for (let seed = 1; seed <= folders; seed++) {
    const root = mkdtempSync(join(tmpdir(), 'tidemark-parts-'))
    writeRandomFolder(join(root, 'logs'), 500 + seed)
    await addEvidence({ case: join(root, 'case'), paths: [join(root, 'logs')], workers: 1 })
    const c = await openCase(join(root, 'case'))
    try {
      const one = await toldOf(c, 'logs', { parts: 1, threads: 1 })
      for (const [parts, threads] of [
        [3, 1],
        [255, 1],
        [5, 2],
        [64, 3],
      ] as const) {
        const other = await toldOf(c, 'logs', { parts, threads })
        assert.deepEqual(other, one, `seed ${seed}: ${parts} parts, ${threads} threads`)
      }
      compared += one.connections.length
      assert.deepEqual(
        readdirSync(c.temp).filter(name => name.startsWith('conversations')),
        [],
      )
    } finally {
      await c.close()
      rmSync(root, { recursive: true })
    }
  }
  assert.ok(compared > folders * 20, String(compared))
  t.diagnostic(`${compared} connections`)
})

test('conversations of packets do not depend on parts', async t => {
  const folder = temporaryFolder(t)
  const talks = Array.from({ length: 40 }, (_, i) =>
    talk({ at: 1_700_000_000 + 97 * i, client: `192.0.2.${i % 5} ${40_000 + (i % 7)}`, server: `10.0.0.${i % 3} 443` }),
  )
  writeFileSync(join(folder, 'a.pcap'), captureOf(talks.flat().sort((a, b) => a.at - b.at)))
  await addEvidence({ case: join(folder, 'case'), paths: [join(folder, 'a.pcap')], workers: 1 })
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  const one = await toldOf(c, 'packets', { parts: 1, threads: 1 })
  assert.ok(one.connections.length >= 35, String(one.connections.length))
  assert.deepEqual(await toldOf(c, 'packets', { parts: 7, threads: 2 }), one)
})

test('what records lack is the same, whatever the parts and threads, and after a chunk of others too', async t => {
  const folder = temporaryFolder(t)
  // More connections than a chunk; those in the middle lack something, each by its number.
  const names = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes action log-status tcp-flags'
  const timed = [`${names} start end`]
  const untimed = [names]
  for (let i = 0; i < 20_000; i++) {
    const isLacking = (bit: number): boolean => i > 9000 && i < 18_000 && (i & bit) !== 0
    const lacks = (bit: number, text: string): string => (isLacking(bit) ? '-' : text)
    const line = `eni-1 198.51.${i >> 8}.${i & 255} 10.0.0.1 40000 443 6 ${lacks(1, '5')} ${lacks(2, '500')} ${i % 3 === 0 ? 'REJECT' : 'ACCEPT'} OK ${lacks(8, '2')}`
    if (isLacking(4)) untimed.push(line)
    else timed.push(`${line} ${1_700_000_000 + i} ${1_700_000_010 + i}`)
  }
  const paths = [join(folder, 'a.log'), join(folder, 'b.log')]
  for (const [i, lines] of [timed, untimed].entries()) writeFileSync(paths[i]!, `${lines.join('\n')}\n`)
  await addEvidence({ case: join(folder, 'case'), paths, workers: 1 })
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  const one = await toldOf(c, 'logs', { parts: 1, threads: 1 })
  assert.equal(one.connections.length, 20_000)
  const lacking = (columns: number): number =>
    one.connections.filter(text => (JSON.parse(text) as number[]).slice(-5)[columns] === 1).length
  const every = (bit: number, isCounted: (i: number) => boolean): number =>
    Array.from({ length: 20_000 }, (_, i) => i).filter(i => i > 9000 && i < 18_000 && (i & bit) !== 0 && isCounted(i))
      .length
  const accepted = (i: number): boolean => i % 3 !== 0
  assert.equal(lacking(lack.aBytes) + lacking(lack.bBytes), every(2, accepted))
  assert.equal(lacking(lack.aPackets) + lacking(lack.bPackets), every(1, accepted))
  assert.equal(
    lacking(lack.time),
    every(4, () => true),
  )
  for (const [parts, threads] of [
    [3, 1],
    [2, 2],
  ] as const)
    assert.deepEqual(await toldOf(c, 'logs', { parts, threads }), one, `${parts} parts, ${threads} threads`)
})

test('a case is divided so that a part fits into memory', () => {
  assert.deepEqual(usualLimits(1000), { parts: 1, threads: 1 })
  const { parts } = usualLimits(100_000_000)
  assert.ok(parts >= 80 && parts <= 255, String(parts))
  assert.equal(usualLimits(10_000_000_000).parts, 255)
})

test('who no longer waits is not kept waiting: threads end', async t => {
  const folder = temporaryFolder(t)
  writeRandomFolder(join(folder, 'logs'), 3)
  await addEvidence({ case: join(folder, 'case'), paths: [join(folder, 'logs')], workers: 1 })
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  await withRecordIndex(c, 'logs', async index => {
    const stopped = { ...c, db: Object.create(c.db, { requireGoing: { value: stop } }) as Case['db'] }
    const asked = wholeConversations(
      stopped,
      index,
      { evidence: 'logs', own: [] },
      { connections: true },
      async () => assert.fail('it was stopped'),
      { parts: 4, threads: 2 },
    )
    await assert.rejects(asked, /nobody waits/)
  })
})

function stop(): never {
  throw new Error('nobody waits')
}
