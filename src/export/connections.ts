/** The connections of a case, one after the other, from what it keeps of them: no more than a block is in memory. */
import { setImmediate } from 'node:timers/promises'
import { type CaseConnections, mark } from '../conversations/connections.ts'
import { internalMarks } from '../conversations/hosts.ts'
import { type KeptConnections, withConnections } from '../conversations/kept-connections.ts'
import { noPort, noProtocol, outcomes } from '../conversations/services.ts'
import { usualLimits, type WholeLimits } from '../conversations/whole.ts'
import { chosenBy, type DetectOptions, ownNetworks } from '../detect/detect.ts'
import { UserError } from '../errors.ts'
import { queryFlows } from '../flows/run.ts'
import type { Prefix } from '../net/prefix.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { fieldsOf } from '../rules/evidence.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import type { Addresses } from './addresses.ts'
import type { ExportedConnection } from './items.ts'

export type ConnectionsAsked = Pick<
  DetectOptions,
  'filter' | 'files' | 'from_us' | 'to_us' | 'internal' | 'enrichment' | 'limits' | 'signal'
>

/** What was given out, and what was not. */
export interface ConnectionsGiven {
  /** Records without any time: connections that have no others are not given. */
  untimed_records: number
  /** Connections with sums that records do not say in full, and sums beyond 2^53, which are not given. */
  at_least: number
  too_large: number
  /** Of a filter: records of which it cannot be told, and why. */
  unknown: number
  notes: readonly string[]
  enrichment_problems: Awaited<ReturnType<typeof ownNetworks>>['files']['enrichment_problems']
}

/** Connections that are given between two moments at which others get their turn. */
const turnAfter = 20_000

/**
 * Gives the connections that begin in a time and have a record that meets a filter, in the order of their clients. Where addresses are
 * changed, the order tells nothing of what they were: blocks of clients come in the order of their first client's other address, and the
 * connections of a block in that of their time.
 *
 * @param settle waits until what was given has been written. @throws UserError as `detect`.
 */
export async function eachConnection(
  c: Case,
  asked: ConnectionsAsked,
  addresses: Addresses,
  give: (connection: ExportedConnection) => void,
  settle: () => Promise<void>,
): Promise<ConnectionsGiven> {
  const { own, files } = await ownNetworks(c, asked)
  const untimed_records = await untimedRecords(c, asked)
  return question(c, asked.signal, async one =>
    withRecordIndex(one, one.source, async index => {
      const limits = asked.limits ?? usualLimits(index.rows)
      const chosen = asked.filter === undefined ? null : await chosenBy(one, index, own, limits, asked)
      let isBegun = false
      const counted = await withConnections(one, index, settingsOf(one, own, asked.limits), async kept => {
        if (isBegun) throw damaged()
        isBegun = true
        return giveAll(
          one,
          index,
          kept,
          { ...asked, own, chosen: chosen?.connections ?? null },
          addresses,
          give,
          settle,
        )
      })
      const { unknown, notes } = chosen ?? { unknown: 0, notes: [] }
      return { ...counted, untimed_records, unknown, notes, enrichment_problems: files.enrichment_problems }
    }),
  )
}

function settingsOf(c: Case, own: readonly Prefix[], limits: WholeLimits | undefined) {
  return { evidence: c.source, own, limits }
}

function damaged(): UserError {
  return new UserError('what the case keeps of its connections was damaged, and was made again', {
    hint: 'nothing is lost: export once more',
  })
}

async function untimedRecords(c: Case, { signal }: ConnectionsAsked): Promise<number> {
  const request = { filter: 'start is unknown and end is unknown', raw: true, limit: 1 } as const
  const { counting } = await queryFlows(c, request, signal === undefined ? {} : { signal })
  return Number(counting.records)
}

interface Wanted extends Pick<ConnectionsAsked, 'from_us' | 'to_us'> {
  own: readonly Prefix[]
  chosen: Uint8Array | null
}

async function giveAll(
  c: Case,
  { dictionaries: { hosts } }: RecordIndex,
  kept: KeptConnections,
  { from_us = Number.NEGATIVE_INFINITY, to_us = Number.POSITIVE_INFINITY, own, chosen }: Wanted,
  addresses: Addresses,
  give: (connection: ExportedConnection) => void,
  settle: () => Promise<void>,
): Promise<Pick<ConnectionsGiven, 'at_least' | 'too_large'>> {
  const internal = internalMarks(hosts, own)
  const names = new HostNames(hosts, addresses)
  const { hasSizes } = fieldsOf(c)
  const counted = { at_least: 0, too_large: 0 }
  let given = 0
  for (const block of blocksInOrder(kept, names, addresses.areChanged)) {
    const all = kept.read(block)
    const { start_us, place } = all
    for (const i of addresses.areChanged ? byTime(all, names) : all.client.keys()) {
      if (start_us[i]! < from_us || start_us[i]! >= to_us || (chosen !== null && chosen[place[i]!] === 0)) continue
      const [client, server] = [all.client[i]!, all.server[i]!]
      const one = connectionAt(all, i, names.of(client), names.of(server), hasSizes, counted)
      one.client_internal = internal[client] === 1
      one.server_internal = internal[server] === 1
      give(one)
      if (++given % turnAfter > 0) continue
      await settle()
      await setImmediate()
      c.db.requireGoing()
    }
  }
  return counted
}

function blocksInOrder(kept: KeptConnections, names: HostNames, areChanged: boolean): number[] {
  const blocks = Array.from({ length: kept.blocks }, (_, block) => block)
  if (!areChanged) return blocks
  const first = blocks.map(block => names.of(kept.firstClient(block)))
  return blocks.sort((a, b) => compareTexts(first[a]!, first[b]!))
}

/** The connections of a block by their beginning; of one moment by what the export says of their ends. */
function byTime(all: CaseConnections, names: HostNames): Uint32Array {
  const { start_us, client, server, clientPort, port } = all
  return Uint32Array.from({ length: all.count }, (_, i) => i).sort(
    (a, b) =>
      start_us[a]! - start_us[b]! ||
      compareTexts(names.of(client[a]!), names.of(client[b]!)) ||
      compareTexts(names.of(server[a]!), names.of(server[b]!)) ||
      clientPort[a]! - clientPort[b]! ||
      port[a]! - port[b]!,
  )
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Hosts by number, as an export names them. */
class HostNames {
  readonly #hosts: RecordIndex['dictionaries']['hosts']
  readonly #addresses: Addresses
  readonly #kept = new Map<number, string>()

  constructor(hosts: RecordIndex['dictionaries']['hosts'], addresses: Addresses) {
    this.#hosts = hosts
    this.#addresses = addresses
  }

  of(host: number): string {
    const known = this.#kept.get(host)
    if (known !== undefined) return known
    const name = this.#addresses.value({ hi: this.#hosts.hi[host]!, lo: this.#hosts.lo[host]! })
    if (this.#kept.size >= turnAfter) this.#kept.clear()
    this.#kept.set(host, name)
    return name
  }
}

function connectionAt(
  all: CaseConnections,
  i: number,
  client: string,
  server: string,
  hasSizes: boolean,
  counted: { at_least: number; too_large: number },
): ExportedConnection {
  const marks = all.marks[i]!
  const at_least = (marks & mark.atLeast) !== 0
  if (at_least) counted.at_least++
  const sum = (column: Float64Array): number | null => {
    const value = column[i]!
    // No record may have said it.
    if (!hasSizes || (at_least && value === 0)) return null
    if (value <= Number.MAX_SAFE_INTEGER) return value
    counted.too_large++
    return null
  }
  const port = (value: number): number | null => (value === noPort ? null : value)
  return {
    ...{ client, server, client_port: port(all.clientPort[i]!), port: port(all.port[i]!) },
    protocol: all.protocol[i] === noProtocol ? null : all.protocol[i]!,
    ...{ start_us: all.start_us[i]!, end_us: all.end_us[i]! },
    ...{ packets_to_server: sum(all.packetsUp), packets_to_client: sum(all.packetsDown) },
    ...{ bytes_to_server: sum(all.bytesUp), bytes_to_client: sum(all.bytesDown) },
    ...{ at_least, records: all.records[i]!, rejected: all.rejected[i]! },
    outcome: outcomes[all.outcome[i]!]!,
    role_known: (marks & mark.unknownRole) === 0,
    role_confidence: all.confidence[i]! / 100,
    ...{ client_internal: false, server_internal: false },
    opened: (marks & mark.opened) !== 0,
    accepted: (marks & mark.accepted) !== 0,
    closed: (marks & mark.closed) !== 0,
  }
}
