import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { at, at4 } from '../../src/conversations/connection-table.ts'
import type { Judged } from '../../src/conversations/conversations.ts'
import { subjectConversations, subjectRecords } from '../../src/conversations/subject.ts'
import { wholeConversations } from '../../src/conversations/whole.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { formatAddress } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { noHost, type RecordBlock, type RecordDictionaries } from '../../src/record-index/block.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { openCase } from '../../src/store/case.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'

const folders = Number(process.env['TIDEMARK_WHOLE_FOLDERS'] ?? 6)

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

test(`connections of each address are those of the whole case, in ${folders} random folders`, async t => {
  let compared = 0
  for (let seed = 1; seed <= folders; seed++) {
    const root = mkdtempSync(join(tmpdir(), 'tidemark-whole-'))
    writeRandomFolder(join(root, 'logs'), seed)
    await addEvidence({ case: join(root, 'case'), paths: [join(root, 'logs')], workers: 1 })
    const c = await openCase(join(root, 'case'))
    try {
      await withRecordIndex(c, 'logs', async index => {
        const everybody = { evidence: 'logs', own: [] } as const
        const parts = await wholeConversations(c, index, everybody, { connections: true }, async whole =>
          whole.parts.map(part => part.read()),
        )
        const { hosts } = index.dictionaries
        const all = await subjectRecords(c, [parsePrefix('::/0')!])
        const hops = hopsOf(all.block)
        assert.deepEqual(hosts.lo, all.dictionaries.hosts.lo)
        for (let host = 0; host < hosts.count; host++) {
          if (hops.has(host)) continue
          const subject = [parsePrefix(textOf(hosts, host))!]
          const mine = await subjectRecords(c, subject)
          const chained = await subjectConversations(c, mine, subject, [])
          const narrow = Array.from({ length: chained.table.count }, (_, i) =>
            shown(chained, mine.dictionaries.hosts, i),
          )
          const wide = parts.flatMap(part =>
            Array.from({ length: part.table.count }, (_, i) => i)
              .filter(i => [0, 1].some(side => part.table.integer(i, at4.aHost + side) === host))
              .map(i => shown(part, hosts, i)),
          )
          assert.deepEqual(narrow.sort(), wide.sort(), `seed ${seed}, ${subject[0]!.text}`)
          compared += narrow.length
        }
      })
    } finally {
      await c.close()
      rmSync(root, { recursive: true })
    }
  }
  assert.ok(compared > folders * 50, String(compared))
  t.diagnostic(`${compared} connections`)
})
