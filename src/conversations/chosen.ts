/** Connections that are chosen by their records. */
import { at4, type ConnectionTable } from './connection-table.ts'

/** By place in the record index, in memory that threads have in common: 1 for what is chosen. */
export interface Chosen {
  /** Given: the records. */
  records: SharedArrayBuffer
  /** Filled: the connections that begin there, and have one of them. */
  connections: SharedArrayBuffer
}

/**
 * Marks the connections of a part.
 *
 * @param links of each record its connection; numbers beyond the table are legs, and of no connection. @param places of the records.
 */
export function markChosen(
  { records, connections }: Chosen,
  table: ConnectionTable,
  links: Uint32Array,
  places: Uint32Array,
): void {
  const given = new Uint8Array(records)
  const marks = new Uint8Array(connections)
  for (let row = 0; row < links.length; row++)
    if (given[places[row]!] === 1 && links[row]! < table.count) marks[table.integer(links[row]!, at4.firstRow)] = 1
}
