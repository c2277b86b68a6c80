/** What may become of a record that is counted once, and what that is decided by. */
/** What becomes of a record: it counts, it has not both ends, another one stands for it, or it is looked at elsewhere. */
export const fate = { counted: 0, withoutEnds: 1, copy: 2, translated: 3, twin: 4, elsewhere: 5 } as const

/** Points that recorded, by number (which is also the order of their names): their sensors as numbers, and how late their records may be. */
export interface Points {
  sensor: Uint32Array
  gap_us: Float64Array
}
