import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { at, at4, ConnectionTable } from '../../src/conversations/connection-table.ts'
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
    ...{ flags: new Uint8Array(2 * room), seen: new Uint32Array(2 * room) },
  }
  const sensors: string[] = []
  for (const part of whole.begins) {
    if (part === 0) continue
    sensors.push(whole.parts[part - 1]!.details!.names[readers[part - 1]!.next(into)]!)
  }
  const { table, roles, flags, seen } = into
  const connections = Array.from({ length: table.count }, (_, i) =>
    JSON.stringify([
      ...[table.protocol(i), table.port(i, 0), table.port(i, 1), table.bits(i), sensors[i]],
      ...[roles.rule[i], roles.client[i], roles.confidence[i], table.start(i), table.number(i, at.end)],
      ...Object.values(at4).flatMap(place => (place === at4.previous ? [] : [table.integer(i, place)])),
      ...([0, 1] as const).flatMap(side => [String(table.bytes(i, side)), String(table.packets(i, side))]),
      ...[0, 1].flatMap(side => [flags[2 * i + side], seen[2 * i + side]]),
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
