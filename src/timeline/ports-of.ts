/** Which server's ports of a view are the largest: the series tells them apart. */
import { setImmediate } from 'node:timers/promises'
import type { Going } from './going.ts'
import type { RowReader } from './rows.ts'
import { hasAny } from './running.ts'
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
  const records = new Uint32Array(groups.ports)
  const bytes = new Float64Array(groups.ports)
  const packets = new Float64Array(groups.ports)
  const room = reader.room()
  const port = new Uint32Array(room.kind.length)
  for (let block = 0; block < index.blocks; block++) {
    const first = block * index.blockRows
    const rows = index.rowsOf(block)
    if (mask !== null && !hasAny(mask, first, rows)) continue
    reader.readForPorts(block, room)
    reader.serverPorts(room, [0, rows], port)
    const { kind } = room
    for (let row = 0; row < rows; row++) {
      if (mask !== null && ((mask[(first + row) >>> 5]! >>> ((first + row) & 31)) & 1) === 0) continue
      const does = groups.how[kind[row]!]!
      if ((does & how.aside) !== 0) continue
      records[port[row]!]!++
      // Beyond 2^53 which of two is larger may be told wrong: it is drawn under its own name all the same.
      if ((does & how.still) !== 0) continue
      bytes[port[row]!]! += room.bytes[row]!
      packets[port[row]!]! += room.packets[row]!
    }
    if (block % 16 === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  const each = portsMost / 3
  const byBytes = first(records, bytes, each)
  const byPackets = first(records, packets, each)
  const byRecords = first(records, records, each)
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
function first(records: Uint32Array, measure: Uint32Array | Float64Array, most: number): number[] {
  const ports = [...records.keys()].filter(port => records[port]! > 0)
  return ports.sort((a, b) => measure[b]! - measure[a]! || a - b).slice(0, most)
}
