import { assert } from '../errors.ts'
import { Copies } from '../meter/copies.ts'
import { Meter } from '../meter/meter.ts'
import { utcSeconds } from '../net/time.ts'
import { NfcapdReader } from '../nfcapd/reader.ts'
import { type CaptureAccounts, exactInteger } from '../packet/accounts.ts'
import { CaptureDecoder } from '../packet/capture.ts'
import { tunnelNames } from '../packet/packet.ts'
import { connectionFields, packetFlowFields } from '../records/packet-fields.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import type { CaptureAccount } from '../store/reports.ts'
import type { LineProblem } from '../vpc-text/text-reader.ts'
import type { Batch } from './batch.ts'
import { addConnection } from './connection-rows.ts'
import { addMetered, addNfcapd } from './flow-rows.ts'
import { Spool } from './spool.ts'

/**
 * Conversations of one capture that are kept at once: about 150 MB of tables in the worst case, a flood of single packets, so that the whole
 * takes less than 512 MiB. Beyond, those that would end first are ended and counted.
 */
const conversationsMax = 2 ** 18
const skippedShownMax = 100

/** What reading came to, but for what the file around it tells. */
export interface PacketReading {
  entry: Partial<EvidenceEntry>
  /** Where the content is not sound. `offset` counts the bytes of the unpacked content; `atEnd`: it only ends too early. */
  damage: { offset: number; problem: string; atEnd: boolean }[]
  /** Of text: lines that hold no record. */
  lines?: LineProblem[]
  /** Whether there was anything to keep. */
  found: boolean
}

/** Reads a capture: its packets become flow records and connections, metered by themselves. */
export async function readCapture(
  id: number,
  pieces: AsyncIterable<Uint8Array>,
  batch: Batch,
  tick: (records: number) => void,
  keepCopies: boolean,
): Promise<PacketReading> {
  const flows = new Spool(batch, 'packet-flows', id, packetFlowFields)
  const connections = new Spool(batch, 'connections', id, connectionFields)
  const meter = new Meter({
    flows: record => addMetered(flows, record),
    connections: connection => addConnection(connections, connection),
    limit: conversationsMax,
  })
  const copies = new Copies()
  const decoder = new CaptureDecoder((packet, captured) => {
    if (keepCopies || !copies.isCopy(packet, captured)) meter.add(packet)
  })
  let told = 0
  for await (const piece of pieces) {
    decoder.feed(piece)
    await flows.settle()
    await connections.settle()
    tick(flows.rows - told)
    told = flows.rows
  }
  decoder.end()
  for (const _ of meter.finishing()) {
    await flows.settle()
    await connections.settle()
  }
  await flows.settle(true)
  await connections.settle(true)
  tick(flows.rows - told)
  const { reader, accounts } = decoder
  const { damage } = reader
  const counts = meter.counts
  assert(
    counts.packets + copies.found === accounts.decoded,
    'every decoded packet is metered, or a copy of one that is',
  )
  assert(counts.flowRecords === flows.rows, 'every flow record is kept')
  assert(counts.connections === connections.rows, 'every connection is kept')
  const drops = reader.interfaces.flatMap(one => [one.interfaceDrops, one.systemDrops].filter(count => count !== null))
  return {
    found: accounts.packets > 0,
    damage: damage === null ? [] : [{ offset: damage.offset, problem: damage.problem, atEnd: damage.kind === 'cut' }],
    entry: {
      kind: reader.format ?? 'pcap',
      records: flows.rows,
      first_start: accounts.firstTime === null ? null : utcSeconds(accounts.firstTime),
      last_end: accounts.lastTime === null ? null : utcSeconds(accounts.lastTime),
      capture: {
        packets: accounts.packets,
        decoded: accounts.decoded,
        undecoded: accounts.undecoded(),
        lost: lostOf(accounts),
        cut: accounts.cut,
        without_transport: accounts.withoutTransport,
        fragments: accounts.decoded - accounts.fragments[0]!,
        tunnels: named(tunnelNames, accounts.tunnels),
        out_of_order: accounts.backwards,
        untimed: accounts.untimed,
        wire_bytes: accounts.wireBytes,
        ip_bytes: accounts.ipBytes,
        interfaces: reader.interfaces.length,
        dropped: drops.length === 0 ? null : exactInteger(drops.reduce((sum, count) => sum + count, 0n)),
        copies: copies.found,
        copies_suspected: copies.suspected,
        flow_records: flows.rows,
        connections: connections.rows,
        evicted: counts.evictedConnections,
        ...(counts.evicted > 0 && { flows_evicted: counts.evicted }),
      },
    },
  }
}

function lostOf(accounts: CaptureAccounts): CaptureAccount['lost'] {
  const { packets, first, last } = accounts.lost
  if (packets === 0) return null
  return { packets, first: utcSeconds(first), last: utcSeconds(last), reasons: accounts.undecoded(true) }
}

function named(names: readonly string[], counts: readonly number[]): { name: string; packets: number }[] {
  return names.flatMap((name, i) => (i > 0 && counts[i]! > 0 ? [{ name, packets: counts[i]! }] : []))
}

/** By reason, the most first; a file can have records of 65,536 types. */
function skippedOf(counts: ReadonlyMap<string, number>): { name: string; records: number }[] {
  const all = [...counts].map(([name, records]) => ({ name, records }))
  if (all.length <= skippedShownMax) return all
  all.sort((a, b) => b.records - a.records)
  const others = all.splice(skippedShownMax).reduce((sum, one) => sum + one.records, 0)
  return [...all, { name: 'of other types', records: others }]
}

/** Reads an nfcapd file: its flow records as they are. */
export async function readNfcapdFile(
  id: number,
  pieces: AsyncIterable<Uint8Array>,
  batch: Batch,
  tick: (records: number) => void,
): Promise<PacketReading> {
  const flows = new Spool(batch, 'packet-flows', id, packetFlowFields)
  const reader = new NfcapdReader(pieces)
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  let told = 0
  while (await reader.nextBlock()) {
    while (reader.next()) {
      const { flow } = reader
      addNfcapd(flows, flow)
      if (flow.first > 0 && flow.first < first) first = flow.first
      if (flow.last > last) last = flow.last
    }
    await flows.settle()
    tick(flows.rows - told)
    told = flows.rows
  }
  await flows.settle(true)
  const { account } = reader
  const skipped = skippedOf(account.skipped)
  assert(
    account.records === account.flows + skipped.reduce((sum, one) => sum + one.records, 0),
    'records = flows + skipped',
  )
  return {
    found: account.layout !== 0,
    damage: account.damages.map(one => ({
      offset: one.offset,
      problem: `${one.block > 0 ? `block ${one.block}: ` : ''}${one.record > 0 ? `record ${one.record}: ` : ''}${one.problem}`,
      atEnd: one.problem.includes('cut short'),
    })),
    entry: {
      kind: 'nfcapd',
      records: flows.rows,
      first_start: Number.isFinite(first) ? utcSeconds(first) : null,
      last_end: last > 0 ? utcSeconds(last) : null,
      nfcapd: {
        layout: account.layout,
        compression: account.compression,
        ident: account.ident,
        blocks: account.blocks,
        blocks_read: account.blocksRead,
        records: account.records,
        flow_records: account.flows,
        skipped,
        sampled: account.sampledFlows,
        both_ways: account.bothWays,
        anonymised: account.anonymisedFlows,
      },
    },
  }
}
