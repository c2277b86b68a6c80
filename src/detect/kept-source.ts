/** Connections that the case has kept, by client and all at once, and what can be said of all of them. */
import {
  beginningIn,
  type CaseConnections,
  type ConnectionColumn,
  connectionColumns,
  makeConnections,
  mark,
  outcome,
} from '../conversations/connections.ts'
import { KeptConnections } from '../conversations/kept-connections.ts'
import { clientsOf, type Run } from '../rules/connections.ts'
import type { CaseEvidence } from '../rules/evidence.ts'
import type { ConnectionSource, Stretch } from './path-search.ts'

/** What a search for steps reads, and what else tells of all connections. */
const stepColumns: readonly ConnectionColumn[] = ['client', 'server', 'start_us', 'outcome', 'marks']
const seenColumns: readonly ConnectionColumn[] = [...stepColumns, 'end_us']
const edgeColumns = connectionColumns.filter(name => !['clientPort', 'records', 'rejected'].includes(name))
const undirectedColumns: readonly ConnectionColumn[] = [
  'client',
  'server',
  'start_us',
  'end_us',
  'bytesUp',
  'bytesDown',
  'marks',
]

/** Bytes of columns that stay in memory: with more, those of further blocks are read whenever they are asked for. */
const keptBytesMax = 256 * 2 ** 20

/** What all connections say. */
export interface SeenHosts {
  count: number
  span: CaseEvidence['span']
  rejected: boolean
  accepted: boolean
  answers: boolean
  /** By internal host: how many internal clients it has answered. */
  ownClients: Uint32Array
  /** When the first connection with the host that was asked for begins; infinite where there is none. */
  firstSeen_us: number
}

export interface Window {
  from_us?: number
  to_us?: number
}

/** Only connections that begin in a time. */
export class KeptSource implements ConnectionSource {
  readonly #kept: KeptConnections
  readonly #window: Window
  readonly #steps = new Map<number, CaseConnections>()
  #bytes = 0
  /** Blocks with connections of which nobody knows who began them; null until all were seen. */
  #undirected: number[] | null = null
  #whole: { block: number; connections: CaseConnections } | null = null

  constructor(kept: KeptConnections, { from_us, to_us }: Window) {
    this.#kept = kept
    this.#window = { ...(from_us !== undefined && { from_us }), ...(to_us !== undefined && { to_us }) }
  }

  /** Reads all blocks. @param hosts how many there are. @param first the host that is asked for. */
  see(hosts: number, isInternal: (host: number) => boolean, first: number | null): SeenHosts {
    const seen: SeenHosts = {
      ...{ count: 0, rejected: false, accepted: false, answers: false },
      span: { from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY },
      ...{ ownClients: new Uint32Array(hosts), firstSeen_us: Number.POSITIVE_INFINITY },
    }
    const answered = new Uint32Array(hosts)
    this.#undirected = []
    for (let block = 0; block < this.#kept.blocks; block++) {
      // Whether any record was rejected is known, as a rule, after the first block.
      const connections = this.#read(block, seen.rejected ? seenColumns : [...seenColumns, 'rejected'])
      addSeen(seen, connections)
      addFirst(seen, connections, first)
      for (const run of clientsOf(connections))
        if (isInternal(connections.client[run.from]!)) addAnswers(seen, connections, run, isInternal, answered)
      if (hasUndirected(connections)) this.#undirected.push(block)
      this.#keep(block, connections)
    }
    return seen
  }

  stepsOf(client: number): Stretch | null {
    const block = this.#kept.blockOf(client)
    if (this.#kept.blocks === 0) return null
    return stretchOf(this.#steps.get(block) ?? this.#read(block, stepColumns), client)
  }

  connectionsOf(client: number): Stretch | null {
    if (this.#kept.blocks === 0) return null
    const block = this.#kept.blockOf(client)
    if (this.#whole?.block !== block) this.#whole = { block, connections: this.#read(block, edgeColumns) }
    return stretchOf(this.#whole.connections, client)
  }

  /** All connections, a block at a time: those of a client are in one block. */
  *blocks(names: readonly ConnectionColumn[]): Generator<CaseConnections> {
    for (let block = 0; block < this.#kept.blocks; block++) yield this.#read(block, names)
  }

  *withoutRoles(): Generator<Stretch> {
    for (const block of this.#undirected ?? Array.from({ length: this.#kept.blocks }, (_, i) => i)) {
      const connections = this.#read(block, undirectedColumns)
      yield { connections, from: 0, to: connections.count }
    }
  }

  #read(block: number, names: readonly ConnectionColumn[]): CaseConnections {
    const all = this.#kept.read(block, names)
    return Object.keys(this.#window).length === 0 ? all : beginningIn(all, this.#window)
  }

  /** Keeps the columns of steps, as long as there is room. */
  #keep(block: number, connections: CaseConnections): void {
    const steps = makeConnections(0)
    steps.count = connections.count
    for (const name of stepColumns) Object.assign(steps, { [name]: connections[name] })
    this.#bytes += stepColumns.reduce((sum, name) => sum + connections[name].byteLength, 0)
    if (this.#bytes <= keptBytesMax) this.#steps.set(block, steps)
  }
}

function stretchOf(connections: CaseConnections, client: number): Stretch | null {
  const run = KeptConnections.runOf(connections, client)
  return run.from === run.to ? null : { connections, ...run }
}

function addSeen(seen: SeenHosts, { count, start_us, end_us, outcome: outcomes, rejected }: CaseConnections): void {
  let { from_us, to_us } = seen.span
  for (let i = 0; i < count; i++) {
    if (start_us[i]! < from_us) from_us = start_us[i]!
    if (end_us[i]! > to_us) to_us = end_us[i]!
  }
  seen.span = { from_us, to_us }
  seen.count += count
  // An attempt is rejected where no record of it was accepted.
  seen.accepted ||= outcomes.some(one => one !== outcome.rejected)
  seen.answers ||= outcomes.includes(outcome.answered)
  seen.rejected ||= rejected.some(records => records > 0)
}

function addFirst(seen: SeenHosts, { count, client, server, start_us }: CaseConnections, host: number | null): void {
  for (let i = 0; i < count; i++) {
    if ((client[i] === host || server[i] === host) && start_us[i]! < seen.firstSeen_us) seen.firstSeen_us = start_us[i]!
  }
}

function hasUndirected({ count, marks }: CaseConnections): boolean {
  for (let i = 0; i < count; i++) if ((marks[i]! & mark.unknownRole) !== 0) return true
  return false
}

/**
 * Counts an internal client.
 *
 * @param answered by server: one more than the client whose answer was counted last.
 */
function addAnswers(
  { ownClients }: SeenHosts,
  { client, server, outcome: outcomes }: CaseConnections,
  { from, to }: Run,
  isInternal: (host: number) => boolean,
  answered: Uint32Array,
): void {
  const own = client[from]! + 1
  for (let i = from; i < to; i++) {
    const host = server[i]!
    if (outcomes[i] !== outcome.answered || !isInternal(host) || answered[host] === own) continue
    answered[host] = own
    ownClients[host]!++
  }
}
