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
import type { CaseEvidence } from '../rules/evidence.ts'
import type { ConnectionSource, Stretch } from './path-search.ts'

/** What a search for steps reads, and what else tells of all connections. */
const stepColumns: readonly ConnectionColumn[] = ['client', 'server', 'start_us', 'outcome', 'marks']
const seenColumns: readonly ConnectionColumn[] = [...stepColumns, 'end_us', 'rejected', 'records']
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
  /** By host: how many internal clients it has answered. */
  ownClients: Uint32Array
  /** By host: when the first connection with it begins. */
  firstSeen_us: Float64Array
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

  constructor(kept: KeptConnections, window: Window) {
    this.#kept = kept
    this.#window = window
  }

  /** Reads all blocks. @param hosts how many there are. */
  see(hosts: number, isInternal: (host: number) => boolean): SeenHosts {
    const seen: SeenHosts = {
      ...{ count: 0, rejected: false, accepted: false, answers: false },
      span: { from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY },
      ...{ ownClients: new Uint32Array(hosts), firstSeen_us: new Float64Array(hosts).fill(Number.POSITIVE_INFINITY) },
    }
    const answered = new Uint32Array(hosts)
    this.#undirected = []
    for (let block = 0; block < this.#kept.blocks; block++) {
      const connections = this.#read(block, seenColumns)
      addSeen(seen, connections)
      addHosts(seen, connections, isInternal, answered)
      if (connections.marks.some(bits => (bits & mark.unknownRole) !== 0)) this.#undirected.push(block)
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
    if (this.#whole?.block !== block) this.#whole = { block, connections: this.#read(block, connectionColumns) }
    return stretchOf(this.#whole.connections, client)
  }

  *withoutRoles(): Generator<Stretch> {
    for (const block of this.#undirected ?? Array.from({ length: this.#kept.blocks }, (_, i) => i)) {
      const connections = this.#read(block, undirectedColumns)
      yield { connections, from: 0, to: connections.count }
    }
  }

  #read(block: number, names: readonly ConnectionColumn[]): CaseConnections {
    return beginningIn(this.#kept.read(block, names), this.#window)
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

function addSeen(
  seen: SeenHosts,
  { count, start_us, end_us, outcome: outcomes, records, rejected }: CaseConnections,
): void {
  const { span } = seen
  seen.count += count
  for (let i = 0; i < count; i++) {
    if (start_us[i]! < span.from_us) span.from_us = start_us[i]!
    if (end_us[i]! > span.to_us) span.to_us = end_us[i]!
    if (rejected[i]! > 0) seen.rejected = true
    if (rejected[i]! < records[i]!) seen.accepted = true
    if (outcomes[i] === outcome.answered) seen.answers = true
  }
}

/** @param answered by server: one more than the internal client whose answer was counted last. */
function addHosts(
  { ownClients, firstSeen_us }: SeenHosts,
  { count, client, server, start_us, outcome: outcomes }: CaseConnections,
  isInternal: (host: number) => boolean,
  answered: Uint32Array,
): void {
  for (let i = 0; i < count; i++) {
    const [from, to, start] = [client[i]!, server[i]!, start_us[i]!]
    if (start < firstSeen_us[from]!) firstSeen_us[from] = start
    if (start < firstSeen_us[to]!) firstSeen_us[to] = start
    if (outcomes[i] !== outcome.answered || answered[to] === from + 1 || !isInternal(from)) continue
    answered[to] = from + 1
    ownClients[to]!++
  }
}
