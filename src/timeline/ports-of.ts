/** Which server's ports of a view are the largest: the series tells them apart. */
import { setImmediate } from 'node:timers/promises'
import type { Going } from './going.ts'
import { Matching } from './matching.ts'
import type { RowReader } from './rows.ts'
import { portsMost } from './series.ts'
import { type Groups, how } from './sums.ts'

export interface LargestPorts {
  /** Numbers of ports, from the largest. */
  byBytes: readonly number[]
  byPackets: readonly number[]
  byRecords: readonly number[]
  /** By class: the number of its port. */
  classes: readonly number[]
}

/** @throws DamagedSections; the signal's reason. */
export async function portsOf(
  reader: RowReader,
  groups: Groups,
  mask: Uint32Array | null,
  { signal }: Going,
): Promise<LargestPorts> {
  const { index } = reader
  // Records, bytes and packets of each port, side by side.
  const sums = new Float64Array(3 * groups.ports)
  const room = reader.room()
  const port = new Uint32Array(room.kind.length)
  const matching = new Matching(room.kind.length)
  for (let block = 0; block < index.blocks; block++) {
    const first = block * index.blockRows
    const rows = index.rowsOf(block)
    const count = mask === null ? rows : matching.find(mask, first, rows)
    if (count === 0) continue
    reader.readForPorts(block, room)
    if (count < rows) matching.gatherForPorts(room, count)
    reader.serverPorts(room, [0, count], port)
    const { kind } = room
    for (let row = 0; row < count; row++) {
      const does = groups.how[kind[row]!]!
      if ((does & how.aside) !== 0) continue
      const at = 3 * port[row]!
      sums[at]!++
      // Beyond 2^53 which of two is larger may be told wrong: it is drawn under its own name all the same.
      if ((does & how.still) !== 0) continue
      sums[at + 1]! += room.bytes[row]!
      sums[at + 2]! += room.packets[row]!
    }
    if (block % 16 === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  const each = portsMost / 3
  const byBytes = first(sums, 1, each)
  const byPackets = first(sums, 2, each)
  const byRecords = first(sums, 0, each)
  const classes = [...new Set([...byBytes, ...byPackets, ...byRecords])]
  return { byBytes, byPackets, byRecords, classes }
}

/** By number of a port: its class. */
export function classesOf({ classes }: LargestPorts, { ports }: Groups): Uint8Array {
  const classOf = new Uint8Array(ports).fill(portsMost)
  for (const [number, port] of classes.entries()) classOf[port] = number
  return classOf
}

/** The ports that are the largest by a measure, of equal ones the lower. */
function first(sums: Float64Array, measure: 0 | 1 | 2, most: number): number[] {
  const ports: number[] = []
  for (let port = 0; 3 * port < sums.length; port++) if (sums[3 * port]! > 0) ports.push(port)
  return ports.sort((a, b) => sums[3 * b + measure]! - sums[3 * a + measure]! || a - b).slice(0, most)
}
