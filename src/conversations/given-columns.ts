/** Columns of tables for SQL, made of what the engine keeps: connections, services, records. */
import { noHost, type RecordDictionaries } from '../record-index/block.ts'
import { type GivenColumn, numbers } from '../store/given-table.ts'

type HostHalves = RecordDictionaries['hosts']

/** The halves of the addresses of some hosts, null for `noHost`: `NAME_hi` and `NAME_lo`. */
export function addressHalves(name: string, { hi, lo }: HostHalves, hosts: Uint32Array): [GivenColumn, GivenColumn] {
  const isKnown = (row: number): boolean => hosts[row] !== noHost
  return [numbers(`${name}_hi`, picked(hi, hosts), isKnown), numbers(`${name}_lo`, picked(lo, hosts), isKnown)]
}

/** Some of the values, moved as words: a bigint for each would be garbage. Zero for `noHost`. */
function picked(values: BigUint64Array, of: Uint32Array): BigUint64Array {
  const found = new BigUint64Array(of.length)
  const from = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
  const to = new Uint32Array(found.buffer)
  for (let row = 0; row < of.length; row++) {
    if (of[row] === noHost) continue
    to[2 * row] = from[2 * of[row]!]!
    to[2 * row + 1] = from[2 * of[row]! + 1]!
  }
  return found
}
