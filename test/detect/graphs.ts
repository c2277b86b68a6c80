/** Connections of a test, as the columns that rules read. */
import { KeptConnections } from '../../src/conversations/kept-connections.ts'
import type { ConnectionSource, Stretch } from '../../src/detect/path-search.ts'
import { type CaseConnections, mark } from '../../src/rules/connections.ts'

export interface Given {
  client: number
  server: number
  port: number
  protocol?: number
  start: number
  end: number
  outcome: number
  isUnknown?: boolean
  isError?: boolean
  up: number
  down: number
}

/** In the order of client, protocol, server, port and time. */
export function connectionsOf(graph: readonly Given[]): CaseConnections {
  const protocolOf = ({ protocol = 6 }: Given): number => protocol
  const some = [...graph].sort(
    (a, b) =>
      a.client - b.client ||
      protocolOf(a) - protocolOf(b) ||
      a.server - b.server ||
      a.port - b.port ||
      a.start - b.start ||
      a.end - b.end ||
      a.up - b.up ||
      a.down - b.down,
  )
  const of = (value: (one: Given) => number): number[] => some.map(value)
  const marksOf = ({ isUnknown, isError }: Given): number =>
    (isUnknown === true ? mark.unknownRole : 0) | (isError === true ? mark.isError : 0)
  return {
    count: some.length,
    client: Uint32Array.from(of(one => one.client)),
    server: Uint32Array.from(of(one => one.server)),
    port: Uint32Array.from(of(one => one.port)),
    clientPort: new Uint32Array(some.length).fill(40_000),
    protocol: Uint16Array.from(of(protocolOf)),
    start_us: Float64Array.from(of(one => one.start)),
    end_us: Float64Array.from(of(one => one.end)),
    packetsUp: new Float64Array(some.length).fill(10),
    packetsDown: new Float64Array(some.length).fill(10),
    bytesUp: Float64Array.from(of(one => one.up)),
    bytesDown: Float64Array.from(of(one => one.down)),
    records: new Uint32Array(some.length).fill(2),
    rejected: Uint32Array.from(of(one => (one.outcome === 0 ? 2 : 0))),
    outcome: Uint8Array.from(of(one => one.outcome)),
    confidence: new Uint8Array(some.length).fill(98),
    marks: Uint8Array.from(of(marksOf)),
    place: Uint32Array.from(some.keys()),
  }
}

/** All connections of a case in memory, as a source. */
export function sourceOf(connections: CaseConnections): ConnectionSource {
  const all = (client: number): Stretch | null => {
    const run = KeptConnections.runOf(connections, client)
    return run.from === run.to ? null : { connections, ...run }
  }
  return { stepsOf: all, connectionsOf: all, withoutRoles: () => [{ connections, from: 0, to: connections.count }] }
}

/** Numbers below a limit, the same of the same seed. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = (seed + 1) * 2_654_435_761
  return limit => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9) >>> 0
    return Math.floor((((state ^ (state >>> 13)) >>> 0) / 2 ** 32) * limit)
  }
}
