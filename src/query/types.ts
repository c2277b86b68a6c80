/**
 * Types of values, by what they hold: each printer has its own names for them.
 * - `u8` … `u64`, `i32`, `i64`: integers of that many bits, without and with a sign; `whole`: an integer that no sum or product of those exceeds.
 * - `time`: a moment in UTC, to the microsecond. `address`: 128 bits, IPv4 as `::ffff:a.b.c.d`.
 */
export type DataType = 'boolean' | 'u8' | 'u16' | 'u32' | 'u64' | 'i32' | 'i64' | 'whole' | 'text' | 'time' | 'address'
