/** Random flow records, as values of JavaScript and as a table of DuckDB. */
import type { Database } from '../../src/store/duckdb.ts'

/** An address is one number of 128 bits. */
export type Cell = bigint | string | null
export type Row = Record<string, Cell>

export type Random = () => number

/** Mulberry32: the same numbers on every machine. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!
}

const mapped = 0xffff_0000_0000n
export const quad = (a: number, b: number, c: number, d: number): bigint =>
  mapped | BigInt(((a << 24) | (b << 16) | (c << 8) | d) >>> 0)
const doc = 0x20010db8n << 96n

export const addresses: readonly bigint[] = [
  ...[
    quad(10, 0, 0, 1),
    quad(10, 0, 0, 2),
    quad(10, 0, 1, 1),
    quad(10, 255, 255, 255),
    quad(11, 0, 0, 0),
    quad(172, 16, 0, 9),
  ],
  ...[quad(192, 0, 2, 1), quad(192, 0, 2, 200), quad(198, 51, 100, 7), quad(203, 0, 113, 99), quad(0, 0, 0, 0)],
  ...[quad(255, 255, 255, 255), quad(169, 254, 169, 254), quad(100, 64, 3, 4), quad(127, 0, 0, 1)],
  ...[
    doc | 1n,
    doc | 2n,
    doc | (1n << 64n),
    doc | (0xffffn << 64n) | 5n,
    (0xfe80n << 112n) | 1n,
    (0xfd00n << 112n) | 7n,
  ],
  ...[1n, 0n, (1n << 128n) - 1n, 0x01020304n],
]

export const types: Record<string, string> = {
  srcaddr: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  dstaddr: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  pkt_srcaddr: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  pkt_dstaddr: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  srcport: 'USMALLINT',
  dstport: 'USMALLINT',
  protocol: 'UTINYINT',
  packets: 'UBIGINT',
  bytes: 'UBIGINT',
  start: 'TIMESTAMP',
  end: 'TIMESTAMP',
  action: 'VARCHAR',
  tcp_flags: 'UTINYINT',
  interface_id: 'VARCHAR',
  resource_id: 'VARCHAR',
  flow_direction: 'VARCHAR',
  region: 'VARCHAR',
  traffic_path: 'UTINYINT',
  icmp_type: 'UTINYINT',
  icmp_code: 'UTINYINT',
  vlan: 'USMALLINT',
  tos: 'UTINYINT',
  custom_field: 'VARCHAR',
  _role: 'VARCHAR',
  _service: 'VARCHAR',
  _service_at: 'VARCHAR',
}

/** Services by name, and by port and protocol. */
export const services = [
  ['ssh', '22/tcp'],
  ['ssh', '22/udp'],
  ['domain', '53/udp'],
  ['8022/tcp', '8022/tcp'],
  ['icmp', 'icmp'],
] as const

export const began_us = 1_700_000_000_000_000n
const texts = ['eu-west-1', 'us-east-1', "o'hara", 'a b', '', 'unknown', 'ACCEPT', 'ünïcode', '%_']
export const ports = [0, 22, 53, 80, 443, 1024, 8080, 65535]
export const counts = [0n, 1n, 40n, 999n, 1000n, 1024n, 1_000_000n, 5_000_000_000n, (1n << 64n) - 1n]

export function randomRow(random: Random): Row {
  const or = (chance: number, value: Cell): Cell => (random() < chance ? null : value)
  const start =
    began_us + BigInt(Math.floor(random() * 7200)) * 1_000_000n + BigInt(pick(random, [0, 0, 1, 999, 500_000]))
  const length = pick(random, [0n, 0n, 500n, 1000n, 999_999n, 60_000_000n, 600_000_000n, -1_000_000n])
  const protocol = pick(random, [6n, 6n, 6n, 17n, 1n, 58n, 47n])
  const icmp = protocol === 1n || protocol === 58n
  const service = random() < 0.2 ? null : pick(random, services)
  return {
    srcaddr: or(0.05, pick(random, addresses)),
    dstaddr: or(0.05, pick(random, addresses)),
    pkt_srcaddr: or(0.5, pick(random, addresses)),
    pkt_dstaddr: or(0.5, pick(random, addresses)),
    srcport: or(0.05, BigInt(pick(random, ports))),
    dstport: or(0.05, BigInt(pick(random, ports))),
    protocol: or(0.05, protocol),
    packets: or(0.05, pick(random, counts)),
    bytes: or(0.05, pick(random, counts)),
    start: or(0.05, start),
    end: or(0.05, start + length),
    action: or(0.1, pick(random, ['ACCEPT', 'REJECT'])),
    tcp_flags: or(0.2, BigInt(pick(random, [0, 1, 2, 3, 4, 16, 18, 19, 24, 63, 194, 255]))),
    interface_id: or(0.3, pick(random, ['eni-1', 'eni-2'])),
    resource_id: or(0.5, pick(random, ['nat-1', 'eni-2'])),
    flow_direction: or(0.3, pick(random, ['ingress', 'egress'])),
    region: or(0.2, pick(random, texts)),
    traffic_path: or(0.3, BigInt(pick(random, [1, 2, 8]))),
    icmp_type: icmp ? or(0.1, BigInt(pick(random, [0, 3, 8, 128]))) : null,
    icmp_code: icmp ? or(0.1, BigInt(pick(random, [0, 1, 3]))) : null,
    vlan: or(0.5, BigInt(pick(random, [0, 1, 5, 4095]))),
    tos: or(0.2, BigInt(pick(random, [0, 8, 184]))),
    custom_field: or(0.3, pick(random, texts)),
    _role: or(0.2, pick(random, ['client', 'server'])),
    _service: service?.[0] ?? null,
    _service_at: service?.[1] ?? null,
  }
}

/** Makes the table `flows`, with the number of the row in `_line`. */
export async function makeTable(
  db: Database,
  rows: readonly Row[],
  columns: Record<string, string> = types,
): Promise<void> {
  const names = Object.keys(columns)
  const text = (value: Cell): string | null => (value === null ? null : String(value))
  const json = rows.map((row, i) =>
    Object.fromEntries([
      ['_line', i],
      ...names.map(name => {
        const value = row[name] ?? null
        if (!columns[name]!.startsWith('STRUCT') || value === null) return [name, text(value)]
        const address = value as bigint
        return [name, { hi: text(address >> 64n), lo: text(address & 0xffff_ffff_ffff_ffffn) }]
      }),
    ]),
  )
  const cell = (name: string): string => {
    const at = `j->'$.${name}'`
    if (columns[name]!.startsWith('STRUCT')) {
      return `CASE WHEN ${at}->>'$.lo' IS NULL THEN NULL ELSE {'hi': (${at}->>'$.hi')::UBIGINT, 'lo': (${at}->>'$.lo')::UBIGINT} END AS "${name}"`
    }
    const word = `j->>'$.${name}'`
    return columns[name] === 'TIMESTAMP'
      ? `make_timestamp((${word})::BIGINT) AS "${name}"`
      : `(${word})::${columns[name]} AS "${name}"`
  }
  await db.run(
    `CREATE OR REPLACE TABLE flows AS SELECT (j->>'$._line')::UINTEGER AS _line, ${names.map(cell).join(', ')}
     FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS j)`,
    [JSON.stringify(json)],
  )
}
