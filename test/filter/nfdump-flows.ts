/** Flows of nfcapd files as nfdump prints them, and the flows that it finds with a filter. */
import { spawnSync } from 'node:child_process'
import { parseAddress } from '../../src/net/address.ts'
import type { Cell, Row } from './flows.ts'

/** Columns in the order of `format`, with their types. */
export const nfdumpTypes: Record<string, string> = {
  start: 'TIMESTAMP',
  end: 'TIMESTAMP',
  protocol: 'UTINYINT',
  srcaddr: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  dstaddr: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  srcport: 'USMALLINT',
  dstport: 'USMALLINT',
  icmp_type: 'UTINYINT',
  icmp_code: 'UTINYINT',
  tcp_flags: 'UTINYINT',
  packets: 'UBIGINT',
  bytes: 'UBIGINT',
  src_tos: 'UTINYINT',
  dst_tos: 'UTINYINT',
  src_vlan: 'USMALLINT',
  dst_vlan: 'USMALLINT',
  input_if: 'UINTEGER',
  output_if: 'UINTEGER',
  src_as: 'UINTEGER',
  dst_as: 'UINTEGER',
  src_mask: 'UTINYINT',
  dst_mask: 'UTINYINT',
  flow_direction: 'VARCHAR',
  next_hop: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  router: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  bgp_next_hop: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  forwarding_status: 'UTINYINT',
  out_packets: 'UBIGINT',
  out_bytes: 'UBIGINT',
  flows: 'UBIGINT',
}

const format =
  'fmt:%cnt|%ts|%te|%pr|%sa|%da|%sp|%dp|%it|%ic|%flg|%pkt|%byt|%stos|%dtos|%svln|%dvln|%in|%out|%sas|%das|%smk|%dmk|%dir|%nh|%ra|%nhb|%fwd|%opkt|%obyt|%fl'

function nfdump(folder: string, print: string, filter: string): string[] {
  const args = ['-q', '-N', '-6', '-R', folder, '-o', print, filter]
  // Without a resolver of its own a wrong word would be looked up as a host.
  const { stdout, stderr, status } = spawnSync('nfdump', args, {
    env: { ...process.env, TZ: 'UTC' },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`nfdump refuses "${filter}": ${stderr}`)
  return stdout.split('\n').filter(line => /^\s*\d+\s*(\||$)/.test(line))
}

/** Numbers of the records that nfdump finds. */
export function found(folder: string, filter: string): number[] {
  return nfdump(folder, 'fmt:%cnt', filter).map(Number)
}

/** All records; the number of a record is its place, from 1. */
export function allFlows(folder: string): Row[] {
  return nfdump(folder, format, 'any').map((line, i) => {
    const [count, ...cells] = line.split('|').map(cell => cell.trim())
    if (Number(count) !== i + 1) throw new Error(`record ${i + 1} is ${count}`)
    return rowOf(cells)
  })
}

function rowOf(cells: readonly string[]): Row {
  const names = Object.keys(nfdumpTypes)
  const row: Row = Object.fromEntries(names.map((name, i) => [name, cellOf(name, cells[i]!)]))
  // nfdump prints type and code there; our records have columns for them, and 0 as AWS writes it.
  if (row['protocol'] === 1n || row['protocol'] === 58n) row['dstport'] = 0n
  return row
}

function cellOf(name: string, text: string): Cell {
  const type = nfdumpTypes[name]!
  if (type === 'TIMESTAMP') return BigInt(Date.parse(`${text.replace(' ', 'T')}Z`)) * 1000n
  if (type.startsWith('STRUCT')) {
    const { hi, lo } = parseAddress(text)!
    return (hi << 64n) | lo
  }
  if (name === 'flow_direction') return text === 'E' ? 'egress' : 'ingress'
  // CWR ECE URG ACK PSH RST SYN FIN
  if (name === 'tcp_flags') return BigInt([...text].reduce((bits, letter) => bits * 2 + (letter === '.' ? 0 : 1), 0))
  return BigInt(text.split('.')[0]!)
}
