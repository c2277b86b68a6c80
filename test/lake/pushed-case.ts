/** A case for a table: addresses of every kind, counters near the limits, nulls, silence, records without an end. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { formatAddress } from '../../src/net/address.ts'
import type { Case } from '../../src/store/case.ts'
import { caseOf } from '../flows/support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags pkt-srcaddr pkt-dstaddr day start-us'

/** Halves over 2^63, the longest runs of zeros in every place, IPv4 in both notations. */
const addresses = [
  ...['10.0.0.1', '203.0.113.255', '0.0.0.0', '255.255.255.255', '::ffff:192.0.2.1', '::', '::1', 'ff02::1'],
  ...['2001:db8::ffff:ffff:ffff:ffff', '2001:db8:0:0:1:0:0:1', 'fe80::a8bb:ccff:fedd:eeff', '2001:db8:0:1:1:1:1:1'],
  ...['8000::8000:0:0:0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:0:0:1::', '::1:0:0:0', '-'],
]

/** Hours at most; some cross midnight. */
const from = 1_700_000_000 - 90 * 60

function lineOf(i: number): string {
  const at = (step: number) => addresses[(i * step + (i >> 4)) % addresses.length]!
  const start = from + i * 23
  const end = start + (i % 60)
  const bytes = i % 31 === 0 ? String(2n ** 63n - 1n - BigInt(i)) : i % 29 === 0 ? '-' : String(i * 40)
  const interfaces = `eni-${i % 3}`
  return `5 123456789012 ${interfaces} ${at(3)} ${at(5)} ${i % 65536} 443 6 ${i} ${bytes} ${start} ${end} ACCEPT OK ${i % 37 === 0 ? '-' : 19} ${at(7)} ${at(11)} d${i % 2} ${i}`
}

export const nodata = (at: number, status = 'NODATA') =>
  `5 123456789012 eni-0 - - - - - - - ${at} ${at + 60} - ${status} - - - - -`

/** Writes two files of a flow log; `count` rows in each. */
export function writeLogs(folder: string, count = 400): string[] {
  mkdirSync(folder, { recursive: true })
  return [0, 1].map(file => {
    const lines = Array.from({ length: count }, (_, i) => lineOf(i + file * count))
    lines.splice(5, 0, nodata(from + file * 100), nodata(from + 7000, 'SKIPDATA'))
    const path = join(folder, `123456789012_vpcflowlogs_us-east-1_fl-0abc_2023111${file}T0000Z_x.log.gz`)
    writeFileSync(path, gzipSync([header, ...lines, ''].join('\n')))
    return path
  })
}

/** A case of them, with times that have fractions, one before 1970, and unknown ones: no text has such, and an engine must still get them. */
export async function fractionalCase(root: string, count?: number): Promise<Case> {
  const c = await caseOf(root, writeLogs(join(root, 'logs'), count))
  const [view] = await c.db.rows(`SELECT sql FROM duckdb_views() WHERE view_name = 'flows'`)
  const own = String(view!['sql'])
    .replace(/^CREATE VIEW flows AS /, '')
    .replace(/;$/, '')
  await c.db.run(`CREATE VIEW whole AS ${own}`)
  await c.db.run(`CREATE OR REPLACE VIEW flows AS SELECT * REPLACE (
    start + to_microseconds(_line * 1001 % 1000000) - CASE WHEN _line = 9 THEN INTERVAL 60 YEAR ELSE INTERVAL 0 YEAR END AS start,
    CASE WHEN _line % 40 <> 7 THEN "end" + to_microseconds(_line * 977 % 1000000) END AS "end") FROM whole`)
  return c
}

/** What a row of the table must be, worked out of the case's records without SQL of the push. */
export async function wantedRows(c: Case): Promise<Map<string, Record<string, unknown>>> {
  const wanted = new Map<string, Record<string, unknown>>()
  const files = new Map(c.evidence.filter(one => one.id !== null).map(one => [one.id, one]))
  const times = 'epoch_us(start)::BIGINT AS _start_us, epoch_us("end")::BIGINT AS _end_us'
  const rows = [
    ...(await c.db.rows(`SELECT *, ${times} FROM flows`)),
    ...(await c.db.rows(`SELECT *, ${times}, sensor AS interface_id, status AS log_status FROM silence`)),
  ]
  for (const { _file, _line, sensor: _s, status: _t, start: _a, end: _e, _start_us, _end_us, ...row } of rows) {
    const file = files.get(Number(_file))!
    const one: Record<string, unknown> = { log_status: 'OK' }
    for (const [name, value] of Object.entries(row)) if (value !== null) one[unlike(name)] = textOf(value)
    const day = _end_us === null ? null : new Date(Math.floor(Number(_end_us) / 1000)).toISOString()
    for (const [name, time] of [
      ['start', _start_us],
      ['end', _end_us],
    ] as const) {
      if (time === null) continue
      const exact = BigInt(time as bigint)
      one[`${name}_us`] = String(exact)
      one[name] = String((exact - (((exact % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n)
    }
    if (day !== null) Object.assign(one, { day: day.slice(0, 10), hour: day.slice(11, 13) })
    Object.assign(one, { source_sha256: file.sha256, source_path: file.path, source_line: String(_line) })
    wanted.set(`${file.sha256} ${_line}`, one)
  }
  return wanted
}

/** Names of the push's own columns are not for fields that nobody knows. */
function unlike(name: string): string {
  return ['day', 'hour', 'start_us', 'end_us'].includes(name) ? `field_${name}` : name
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const { hi, lo } = ('entries' in value ? value.entries : value) as { hi: bigint; lo: bigint }
  return formatAddress(BigInt(hi), BigInt(lo))
}

/** The rows of an answer in the same form: every value as text, without those that are null. */
export function foundRows(rows: readonly Record<string, unknown>[]): Map<string, Record<string, unknown>> {
  return new Map(
    rows.map(row => [
      `${row['source_sha256']} ${row['source_line']}`,
      Object.fromEntries(
        Object.entries(row).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
      ),
    ]),
  )
}
