/** How long a record may be, how late, and what that says of records of one conversation. One place for all who ask. */

/** AWS: `start` and `end` may be up to 60 s after the packet was sent or received. */
export const lateness_us = 60_000_000
/** Records of packets are joined to connections over this gap: the meter's inactive timeout, and a second. */
export const packetGap_us = 61_000_000

/** SQL for the aggregation interval of a flow log, microseconds, by the longest of its records: AWS offers one minute and ten. */
export function intervalSql(longest: string): string {
  return `CASE WHEN ${longest} <= 60000000 THEN 60000000 ELSE 600000000 END`
}

/** SQL for G: records of one conversation at one vantage are at most so far apart, microseconds. */
export function gapSql(source: 'logs' | 'packets', longest: string): string {
  return source === 'packets' ? String(packetGap_us) : `(${intervalSql(longest)} + ${lateness_us})`
}
