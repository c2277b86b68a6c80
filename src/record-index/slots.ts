/**
 * Memory in which one thread gives batches of columns to another, over and over: buffers that are sent become garbage of the thread that gets
 * them, which it is slow to collect.
 */
import type { ColumnBatch } from '../store/answer.ts'

/** The buffer of each column, for each slot. */
export type SlotBuffers = readonly (readonly SharedArrayBuffer[])[]

/** A batch of which the values stand in a slot. */
export interface SlotBatch {
  slot: number
  rows: number
  valid: (Uint8Array | null)[]
}

/** DuckDB's vectors hold no more values. */
export const batchRows = 2048
const valueBytes = 8

export function slotBuffers(slots: number, columns: number): SlotBuffers {
  const one = (): SharedArrayBuffer => new SharedArrayBuffer(batchRows * valueBytes)
  return Array.from({ length: slots }, () => Array.from({ length: columns }, one))
}

export function putBatch(buffers: SlotBuffers, slot: number, { rows, columns }: ColumnBatch): SlotBatch {
  for (const [i, { data }] of columns.entries()) new Uint8Array(buffers[slot]![i]!).set(new Uint8Array(data))
  return { slot, rows, valid: columns.map(({ valid }) => valid) }
}

/** The batch, until its slot is given another one. */
export function batchIn(buffers: SlotBuffers, { slot, rows, valid }: SlotBatch): ColumnBatch {
  return { rows, columns: buffers[slot]!.map((data, i) => ({ data, valid: valid[i]! })) }
}
