/** Records of a block in words, and the same of plain SQL: an oracle that knows nothing of blocks. */
import { known, large, noHost, type RecordBlock, type RecordDictionaries } from '../../src/record-index/block.ts'
import { sensorSql } from '../../src/record-index/sensor.ts'
import type { Case } from '../../src/store/case.ts'

/** Each record of a block as one line of text, in its order. */
export function linesOf(block: RecordBlock, { hosts, vantages, actions }: RecordDictionaries): string[] {
  const host = (number: number): string =>
    number === noHost ? '-' : `${hosts.hi[number]!.toString(16)}:${hosts.lo[number]!.toString(16)}`
  return Array.from({ length: block.rows }, (_, row) => {
    const bits = block.known[row]!
    const if_ = (bit: number, value: unknown): string => ((bits & bit) === 0 ? '-' : String(value))
    const counter = (name: 'packets' | 'bytes'): unknown =>
      block[name][row] === large ? block.largeCounters.get(row)![name] : block[name][row]
    const vantage = vantages[block.vantage[row]!]!
    return [
      block.file[row],
      block.line[row],
      host(block.source[row]!),
      host(block.destination[row]!),
      block.sourceSeen === null ? '' : host(block.sourceSeen[row]!),
      block.destinationSeen === null ? '' : host(block.destinationSeen[row]!),
      if_(known.sourcePort, block.sourcePort[row]),
      if_(known.destinationPort, block.destinationPort[row]),
      if_(known.protocol, block.protocol[row]),
      if_(known.packets, counter('packets')),
      if_(known.bytes, counter('bytes')),
      if_(known.start, block.start_us[row]),
      if_(known.end, block.end_us[row]),
      ['-', 'ACCEPT', 'REJECT', ...actions][block.action[row]!],
      if_(known.tcpFlags, block.tcpFlags[row]),
      if_(known.icmpType, block.icmpType[row]),
      (bits & known.onInstance) !== 0,
      (bits & known.sourceIsService) !== 0,
      (bits & known.destinationIsService) !== 0,
      vantage.sensor ?? '-',
      vantage.subscription ?? '-',
    ].join(' ')
  })
}

/** The same lines by SQL over the case's view, in the order that is promised. */
export async function linesBySql(c: Case, evidence: 'logs' | 'packets', where = 'true'): Promise<string[]> {
  const isLog = evidence === 'logs'
  const view = isLog || c.source === 'packets' ? 'flows' : 'packet_flows'
  const has = (name: string): boolean => (isLog ? c.columns.has(name) : name === 'icmp_type' || name === 'tcp_flags')
  const seen = has('pkt_srcaddr') || has('pkt_dstaddr')
  const end = (name: string): string =>
    has(`pkt_${name}addr`) ? `coalesce(pkt_${name}addr, ${name}addr)` : `${name}addr`
  const text = (a: string): string =>
    `CASE WHEN ${a}.lo IS NULL THEN '-' ELSE format('{:x}:{:x}', ${a}.hi, ${a}.lo) END`
  const or = (name: string): string => (has(name) ? `coalesce(${name}::VARCHAR, '-')` : `'-'`)
  const service = (name: string): string =>
    has(`pkt_${name}_aws_service`) ? `coalesce(pkt_${name}_aws_service NOT IN ('AMAZON', 'EC2'), false)` : 'false'
  const address = (a: string): string[] => [`${a}.hi NULLS LAST`, `${a}.lo NULLS LAST`]
  const rows =
    await c.db.rows(`SELECT concat_ws(' ', _file, _line, ${text('s')}, ${text('d')}, ${seen ? text('srcaddr') : "''"}, ${seen ? text('dstaddr') : "''"},
      coalesce(srcport::VARCHAR, '-'), coalesce(dstport::VARCHAR, '-'), coalesce(protocol::VARCHAR, '-'), coalesce(packets::VARCHAR, '-'),
      coalesce(bytes::VARCHAR, '-'), coalesce(epoch_us(start)::VARCHAR, '-'), coalesce(epoch_us("end")::VARCHAR, '-'), ${isLog ? or('action') : "'-'"},
      ${or('tcp_flags')}, ${or('icmp_type')}, ${has('instance_id') ? 'instance_id IS NOT NULL' : 'false'}, ${service('src')}, ${service('dst')},
      coalesce(v_sensor, '-'), coalesce(v_subscription, '-')) AS line
    FROM (SELECT r.*, ${end('src')} AS s, ${end('dst')} AS d, ${isLog ? sensorSql(c) : 'e.sensor'} AS v_sensor, ${isLog ? 'e.subscription' : 'NULL::VARCHAR'} AS v_subscription
      FROM ${view} r LEFT JOIN evidence e ON e.id = r._file WHERE ${where})
    ORDER BY coalesce(start, TIMESTAMP '1970-01-01'), NOT coalesce(tcp_flags & 18 = 2, false), coalesce("end", TIMESTAMP '1970-01-01'),
      ${[...address('s'), ...address('d')].join(', ')}, coalesce(srcport, 0), coalesce(dstport, 0), coalesce(protocol, 0), coalesce(tcp_flags, 0),
      ${isLog ? '' : 'coalesce(icmp_type, 0),'} ${isLog && has('action') ? "CASE action WHEN 'ACCEPT' THEN 1 WHEN 'REJECT' THEN 2 ELSE 0 END," : ''}
      coalesce(packets, 0), coalesce(bytes, 0), ${seen ? `${[...address('srcaddr'), ...address('dstaddr')].join(', ')},` : ''}
      v_sensor NULLS LAST, v_subscription NULLS LAST, ${isLog ? `${knownSql(has)},` : ''} _file, _line`)
  return rows.map(row => String(row['line']))
}

/** The bits of what is known, as a number to sort by. */
function knownSql(has: (name: string) => boolean): string {
  const bits = ['srcport', 'dstport', 'protocol', 'tcp_flags', '', 'packets', 'bytes', 'start', '"end"']
  const sum = bits.flatMap((name, i) =>
    name === '' || (name === 'tcp_flags' && !has(name)) ? [] : [`(${name} IS NOT NULL)::INT * ${1 << i}`],
  )
  const instance = has('instance_id') ? ' + (instance_id IS NOT NULL)::INT * 512' : ''
  return `${sum.join(' + ')}${instance}`
}
