/** Connections that the case has kept, by client and all at once, and what can be said of all of them. */
import {
  beginningIn,
  type CaseConnections,
  type ConnectionColumn,
  connectionColumns,
  makeConnections,
  mark,
} from '../conversations/connections.ts'
import {
  emptyFacts,
  FactCounter,
  type HostFacts,
  nothingSeen,
  type Seen,
  seenIn,
  seenTogether,
} from '../conversations/host-facts.ts'
import { KeptConnections } from '../conversations/kept-connections.ts'
import type { ConnectionSource, Stretch } from './path-search.ts'
import { isWhole } from './run.ts'

/** What a search for steps reads. */
const stepColumns: readonly ConnectionColumn[] = ['client', 'server', 'start_us', 'outcome', 'marks']
const edgeColumns = connectionColumns.filter(name => !['clientPort', 'records', 'rejected'].includes(name))
const undirectedColumns: readonly ConnectionColumn[] = [
  ...(['client', 'server', 'start_us', 'end_us', 'bytesUp', 'bytesDown', 'marks'] as const),
]

/** Bytes of columns that stay in memory: with more, those of further blocks are read whenever they are asked for. */
const keptBytesMax = 256 * 2 ** 20

interface Window {
  from_us?: number
  to_us?: number
}

/** Only connections that begin in a time. */
export class KeptSource implements ConnectionSource {
  readonly #kept: KeptConnections
  readonly #time: Window
  readonly #steps = new Map<number, CaseConnections>()
  #bytes = 0
  /** The block that the reader holds, with all columns of edges. */
  #held: { block: number; connections: CaseConnections } | null = null

  constructor(kept: KeptConnections, { from_us, to_us }: { from_us?: number | undefined; to_us?: number | undefined }) {
    this.#kept = kept
    this.#time = { ...(from_us !== undefined && { from_us }), ...(to_us !== undefined && { to_us }) }
  }

  /** What all of them show: kept with them, or counted where only some are asked for. @param hosts how many there are. */
  known(hosts: number, isInternal: (host: number) => boolean): { seen: Seen; facts: HostFacts } {
    if (isWhole({ time: this.#time })) return { seen: this.#kept.seen, facts: this.#kept.facts(hosts) }
    const facts = emptyFacts(hosts)
    const counter = new FactCounter(facts, isInternal)
    let seen = nothingSeen
    for (const block of this.blocks(connectionColumns)) {
      counter.add(block)
      seen = seenTogether(seen, seenIn(block))
    }
    return { seen, facts }
  }

  stepsOf(client: number): Stretch | null {
    if (this.#kept.blocks === 0) return null
    const block = this.#kept.blockOf(client)
    return stretchOf(this.#steps.get(block) ?? this.#readSteps(block), client)
  }

  connectionsOf(client: number): Stretch | null {
    if (this.#kept.blocks === 0) return null
    const block = this.#kept.blockOf(client)
    if (this.#held?.block !== block) this.#held = { block, connections: this.#read(block, edgeColumns) }
    return stretchOf(this.#held.connections, client)
  }

  /** All connections, a block at a time: those of a client are in one block. It is overwritten by whatever is read next. */
  *blocks(names: readonly ConnectionColumn[]): Generator<CaseConnections> {
    for (let block = 0; block < this.#kept.blocks; block++) yield this.#read(block, names)
  }

  *withoutRoles(): Generator<Stretch> {
    for (let block = 0; block < this.#kept.blocks; block++) {
      if (!hasUndirected(this.#kept.read(block, ['marks']))) continue
      const connections = this.#read(block, undirectedColumns)
      yield { connections, from: 0, to: connections.count }
    }
  }

  #read(block: number, names: readonly ConnectionColumn[]): CaseConnections {
    this.#held = null
    const all = this.#kept.read(block, names)
    return isWhole({ time: this.#time }) ? all : beginningIn(all, this.#time)
  }

  /** Keeps the columns of steps, as long as there is room. */
  #readSteps(block: number): CaseConnections {
    const read = this.#read(block, stepColumns)
    this.#bytes += stepColumns.reduce((sum, name) => sum + read[name].byteLength, 0)
    if (this.#bytes > keptBytesMax) return read
    const steps = makeConnections(0)
    steps.count = read.count
    for (const name of stepColumns) Object.assign(steps, { [name]: read[name].slice() })
    this.#steps.set(block, steps)
    return steps
  }
}

function stretchOf(connections: CaseConnections, client: number): Stretch | null {
  const run = KeptConnections.runOf(connections, client)
  return run.from === run.to ? null : { connections, ...run }
}

function hasUndirected({ count, marks }: CaseConnections): boolean {
  for (let i = 0; i < count; i++) if ((marks[i]! & mark.unknownRole) !== 0) return true
  return false
}
