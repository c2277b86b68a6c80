/** Hosts outside that hosts of a path reached: there can be as many as the case has, so that they stand in one array of numbers. */
import type { CaseConnections, Run } from '../rules/connections.ts'
import { Foremost } from './foremost.ts'
import { isStep, type Step } from './path-search.ts'

/** A host outside that hosts of the path reached. */
export interface Leaf {
  host: number
  /** The first connection to it, and whose it was. */
  first: Step
  by: number
  /** Answered connections of all clients. */
  connections: number
  bytesUp: number
  bytesDown: number
  last_us: number
  /** Whether of each client the first connection is one whose order is uncertain. */
  isUncertain: boolean
}

/** Places within a row. The first connection's stand in the order of `firstColumns`. */
const at = { host: 0, by: 1, connections: 2, bytesUp: 3, bytesDown: 4, last_us: 5, isSure: 6, first: 7 } as const
const firstColumns = [
  ...(['protocol', 'port', 'start_us', 'end_us', 'bytesUp', 'bytesDown', 'packetsUp', 'packetsDown'] as const),
  ...(['confidence', 'place'] as const),
]
const start = at.first + firstColumns.indexOf('start_us')
const stride = at.first + firstColumns.length

export class Leaves {
  /** By host: one more than the number of its row. */
  readonly #rowOf: Uint32Array
  #rows = new Float64Array(stride * 1024)
  count = 0

  constructor(hosts: number) {
    this.#rowOf = new Uint32Array(hosts)
  }

  /**
   * Adds the steps of a service that begin at a time or later. Clients must come in their order, and services of each in theirs.
   *
   * @param sure_us from when on the order is sure.
   */
  add(all: CaseConnections, { from, to }: Run, from_us: number, sure_us: number): void {
    let row = -1
    for (let i = from; i < to; i++) {
      if (all.start_us[i]! < from_us || !isStep(all, i)) continue
      if (row < 0) row = this.#row(all, i, sure_us)
      const rows = this.#rows
      rows[row + at.connections]!++
      rows[row + at.bytesUp]! += all.bytesUp[i]!
      rows[row + at.bytesDown]! += all.bytesDown[i]!
      if (all.end_us[i]! > rows[row + at.last_us]!) rows[row + at.last_us] = all.end_us[i]!
    }
  }

  /** The row of the server of a service's first step, with that step if no other one was earlier. */
  #row(all: CaseConnections, i: number, sure_us: number): number {
    const host = all.server[i]!
    if (this.#rowOf[host] === 0) {
      this.#rowOf[host] = ++this.count
      if (this.count * stride > this.#rows.length) {
        const more = new Float64Array(2 * this.#rows.length)
        more.set(this.#rows)
        this.#rows = more
      }
      const row = (this.count - 1) * stride
      this.#rows[row + at.host] = host
      this.#rows[row + start] = Number.POSITIVE_INFINITY
    }
    const rows = this.#rows
    const row = (this.#rowOf[host]! - 1) * stride
    if (all.start_us[i]! < rows[row + start]!) {
      rows[row + at.by] = all.client[i]!
      for (let column = 0; column < firstColumns.length; column++)
        rows[row + at.first + column] = all[firstColumns[column]!][i]!
    }
    if (all.start_us[i]! >= sure_us) rows[row + at.isSure] = 1
    return row
  }

  /** Those that were sent most. */
  largest(most: number): Leaf[] {
    const rows = this.#rows
    const found = new Foremost<number>(
      most,
      (a, b) => rows[b + at.bytesUp]! - rows[a + at.bytesUp]! || rows[a + at.host]! - rows[b + at.host]!,
    )
    for (let leaf = 0; leaf < this.count; leaf++) found.add(leaf * stride)
    return found.listed().map(row => ({
      ...{ host: rows[row + at.host]!, by: rows[row + at.by]!, connections: rows[row + at.connections]! },
      ...{ bytesUp: rows[row + at.bytesUp]!, bytesDown: rows[row + at.bytesDown]!, last_us: rows[row + at.last_us]! },
      isUncertain: rows[row + at.isSure] === 0,
      first: Object.fromEntries(firstColumns.map((name, i) => [name, rows[row + at.first + i]!])) as unknown as Step,
    }))
  }
}
