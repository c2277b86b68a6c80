import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { at, at4 } from '../../src/conversations/connection-table.ts'
import type { Judged } from '../../src/conversations/conversations.ts'
import { fate } from '../../src/conversations/fates.ts'
import { subjectConversations, subjectRecords } from '../../src/conversations/subject.ts'
import { wholeConversations } from '../../src/conversations/whole.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { formatAddress } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { noHost, type RecordBlock, type RecordDictionaries } from '../../src/record-index/block.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import type { RecordIndex } from '../../src/record-index/read.ts'
import type { EvidenceKind } from '../../src/records/evidence-kind.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { setting } from '../robustness/support.ts'
import { type Kind, kinds, writeRandomEvidence } from './random-cases.ts'

const folders = setting('WHOLE_FOLDERS', 2)

type Hosts = RecordDictionaries['hosts']
const textOf = ({ hi, lo }: Hosts, host: number): string => formatAddress(hi[host]!, lo[host]!)

/** Everything that is known of a connection, from client to server. */
function shown({ table, roles }: Judged, hosts: Hosts, connection: number): string {
  const client = roles.client[connection] as 0 | 1
  const side = (one: 0 | 1): unknown[] => [
    textOf(hosts, table.integer(connection, at4.aHost + one)),
    table.port(connection, one),
    table.integer(connection, at4.aRecords + one),
    table.integer(connection, at4.aAccepted + one),
    table.number(connection, at.aFirst + one),
    String(table.bytes(connection, one)),
    String(table.packets(connection, one)),
  ]
  return JSON.stringify([
    ...[table.protocol(connection), roles.rule[connection], roles.confidence[connection]],
    ...[table.number(connection, at.end), side(client), side(client === 0 ? 1 : 0)],
  ])
}

/** Addresses that some sensor saw in the place of another one. */
function hopsOf(block: RecordBlock): Set<number> {
  const hops = new Set<number>()
  for (let row = 0; row < block.rows; row++) {
    for (const [seen, end] of [
      [block.sourceSeen, block.source],
      [block.destinationSeen, block.destination],
    ] as const) {
      if (seen !== null && seen[row] !== noHost && seen[row] !== end[row]) hops.add(seen[row]!)
    }
  }
  return hops
}

function partsOf(c: Case, index: RecordIndex, evidence: EvidenceKind): Promise<Judged[]> {
  return wholeConversations(c, index, { evidence, own: [] }, { connections: true }, async whole =>
    whole.parts.map(part => part.read()),
  )
}

function connectionsOfPart(part: Judged, index: RecordIndex): string[] {
  return Array.from({ length: part.table.count }, (_, i) => shown(part, index.dictionaries.hosts, i))
}

/** Compares both ways for each address that is no hop. Returns the number of connections compared. */
async function compareWays(c: Case, label: string): Promise<number> {
  let compared = 0
  await withRecordIndex(c, c.source, async index => {
    const parts = await partsOf(c, index, c.source)
    const { hosts } = index.dictionaries
    const all = await subjectRecords(c, [parsePrefix('::/0')!])
    const hops = hopsOf(all.block)
    assert.deepEqual(hosts.lo, all.dictionaries.hosts.lo)
    for (let host = 0; host < hosts.count; host++) {
      if (hops.has(host)) continue
      const subject = [parsePrefix(textOf(hosts, host))!]
      const mine = await subjectRecords(c, subject)
      const chained = await subjectConversations(c, mine, subject, [])
      const narrow = Array.from({ length: chained.table.count }, (_, i) => shown(chained, mine.dictionaries.hosts, i))
      const wide = parts.flatMap(part =>
        Array.from({ length: part.table.count }, (_, i) => i)
          .filter(i => [0, 1].some(side => part.table.integer(i, at4.aHost + side) === host))
          .map(i => shown(part, hosts, i)),
      )
      assert.deepEqual(narrow.sort(), wide.sort(), `${label}, ${subject[0]!.text}`)
      compared += narrow.length
    }
  })
  return compared
}

async function withRandomCase(kind: Kind, seed: number, work: (c: Case) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'tidemark-whole-'))
  mkdirSync(join(root, 'evidence'))
  writeRandomEvidence(join(root, 'evidence'), kind, seed)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'evidence')], workers: 1 })
  const c = await openCase(join(root, 'case'))
  try {
    await work(c)
  } finally {
    await c.close()
    rmSync(root, { recursive: true })
  }
}

for (const kind of kinds.filter(one => one !== 'logs and captures'))
  test(`connections of each address are those of the whole case, in ${folders} random folders of ${kind}`, async t => {
    let compared = 0
    for (let seed = 1; seed <= folders; seed++)
      await withRandomCase(kind, seed, async c => {
        compared += await compareWays(c, `${kind}, seed ${seed}`)
      })
    assert.ok(compared > folders * 50, String(compared))
    t.diagnostic(`${compared} connections`)
  })

test('logs and packets of one case make the connections that they make alone', async () => {
  const connectionsOf = (c: Case, evidence: EvidenceKind): Promise<string[]> =>
    withRecordIndex(c, evidence, async index => {
      const parts = await partsOf(c, index, evidence)
      return parts.flatMap(part => connectionsOfPart(part, index)).sort()
    })
  let both: string[][] = []
  await withRandomCase('logs and captures', 1, async c => {
    both = [await connectionsOf(c, 'logs'), await connectionsOf(c, 'packets')]
  })
  await withRandomCase('logs', 1, async c => assert.deepEqual(both[0], await connectionsOf(c, 'logs')))
  await withRandomCase('captures', 1, async c => assert.deepEqual(both[1], await connectionsOf(c, 'packets')))
  assert.ok(both.every(list => list.length > 10))
})

test('what counts and what is connected depends neither on the number of parts nor of threads', async () => {
  let counted = 0
  for (const [kind, seed] of [...kinds.slice(0, 4).map(one => [one, 1] as const), ['logs', 2]] as const)
    await withRandomCase(kind, seed, c =>
      withRecordIndex(c, c.source, async index => {
        const answer = (limits: { threads: number; parts: number }): Promise<[Uint8Array, string[]]> =>
          wholeConversations(
            c,
            index,
            { evidence: c.source, own: [] },
            { connections: true },
            async whole => [
              Uint8Array.from(whole.fates),
              whole.parts.flatMap(part => connectionsOfPart(part.read(), index)).sort(),
            ],
            limits,
          )
        const once = await answer({ threads: 1, parts: 1 })
        for (const limits of [
          { threads: 1, parts: 7 },
          { threads: 2, parts: 2 },
          { threads: 3, parts: 64 },
        ])
          assert.deepEqual(await answer(limits), once, `${kind} ${JSON.stringify(limits)}`)
        counted += once[0].filter(one => one !== fate.counted).length
      }),
    )
  assert.ok(counted > 100, String(counted))
})
