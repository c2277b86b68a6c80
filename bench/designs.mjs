// How to keep an address: three designs on the same records, as Parquet, asked the same questions.
//
//   node bench/designs.mjs [--rows 20000000]
//
// text: canonical VARCHAR. uuid: 128 bits as UUID. struct: STRUCT(hi UBIGINT, lo UBIGINT), the one that cases use.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'

const { values } = parseArgs({ options: { rows: { type: 'string', default: '20000000' } } })
const rows = Number(values.rows)
const dir = mkdtempSync(join(tmpdir(), 'tidemark-designs-'))
const instance = await DuckDBInstance.create(':memory:', {})
const c = await instance.connect()
const print = text => process.stdout.write(`${text}\n`)

// Half the records go out from one of 200 internal hosts to one of 300,000 others, skewed; half come back.
await c.run(`CREATE TABLE base AS
  SELECT CASE WHEN i % 2 = 0 THEN inside ELSE outside END AS src, CASE WHEN i % 2 = 0 THEN outside ELSE inside END AS dst, port, bytes FROM (
    SELECT i, (176291840 + hash(i) % 200)::BIGINT AS inside, (16777216 + hash(((hash(i, 1) % 1000000 / 1000000.0) ** 3 * 300000)::BIGINT) % 3700000000)::BIGINT AS outside,
      [80, 443, 22, 53, 123, hash(i, 2) % 65536][(1 + hash(i, 3) % 6)::BIGINT]::USMALLINT AS port, 40 + hash(i, 4) % 100000 AS bytes FROM range(${rows}) t(i))`)
const [[one]] = (await c.runAndReadAll('SELECT src FROM base WHERE src < 170000000 LIMIT 1')).getRows()
const address = Number(one)
const text = number => [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256).join('.')
const uuid = number => `'00000000-0000-0000-0000-ffff${number.toString(16).padStart(8, '0')}'::UUID`
const mapped = number => 0xffff * 2 ** 32 + number
const sqlText = name => `concat_ws('.', ${name} >> 24, (${name} >> 16) & 255, (${name} >> 8) & 255, ${name} & 255)`
const sqlUuid = name => `CAST('00000000-0000-0000-0000-ffff' || lpad(lower(to_hex(${name})), 8, '0') AS UUID)`
const sqlStruct = name => `{'hi': 0::UBIGINT, 'lo': (281470681743360 + ${name})::UBIGINT}`
const inside = 10 * 2 ** 24 + 130 * 2 ** 16
const designs = {
  text: {
    make: sqlText,
    equal: `srcaddr = '${text(address)}' OR dstaddr = '${text(address)}'`,
    absent: "srcaddr = '0.0.0.1'",
    cidr: "starts_with(srcaddr, '10.130.')",
    net: "regexp_extract(srcaddr, '^\\d+\\.\\d+\\.\\d+')",
  },
  uuid: {
    make: sqlUuid,
    equal: `srcaddr = ${uuid(address)} OR dstaddr = ${uuid(address)}`,
    absent: `srcaddr = ${uuid(1)}`,
    cidr: `srcaddr BETWEEN ${uuid(inside)} AND ${uuid(inside + 65535)}`,
    net: 'left(CAST(srcaddr AS VARCHAR), 34)',
  },
  struct: {
    make: sqlStruct,
    equal: `(srcaddr.lo = ${mapped(address)} AND srcaddr.hi = 0) OR (dstaddr.lo = ${mapped(address)} AND dstaddr.hi = 0)`,
    absent: `srcaddr.lo = ${mapped(1)} AND srcaddr.hi = 0`,
    cidr: `srcaddr.hi = 0 AND srcaddr.lo BETWEEN ${mapped(inside)} AND ${mapped(inside + 65535)}`,
    net: 'srcaddr.lo >> 8',
  },
}

async function milliseconds(sql) {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3; i++) {
    const started = performance.now()
    await c.runAndReadAll(sql)
    best = Math.min(best, performance.now() - started)
  }
  return Math.round(best)
}

print(`${rows.toLocaleString('en-US')} rows; milliseconds, the best of three`)
print(['design', 'MB', 'equal', 'absent', '/16', 'top 10', '/24 x port'].map(head => head.padStart(11)).join(''))
for (const [name, design] of Object.entries(designs)) {
  const file = join(dir, `${name}.parquet`)
  await c.run(`COPY (SELECT ${design.make('src')} AS srcaddr, ${design.make('dst')} AS dstaddr, port, bytes FROM base)
    TO '${file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2)`)
  const from = `FROM read_parquet('${file}')`
  const figures = [
    await milliseconds(`SELECT count(*), sum(bytes) ${from} WHERE ${design.equal}`),
    await milliseconds(`SELECT count(*), sum(bytes) ${from} WHERE ${design.absent}`),
    await milliseconds(`SELECT count(*), sum(bytes) ${from} WHERE ${design.cidr}`),
    await milliseconds(`SELECT srcaddr, sum(bytes) AS b ${from} GROUP BY 1 ORDER BY 2 DESC LIMIT 10`),
    await milliseconds(
      `SELECT ${design.net} AS net, port, sum(bytes) AS b ${from} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10`,
    ),
  ]
  print([name, (statSync(file).size / 1e6).toFixed(1), ...figures].map(value => String(value).padStart(11)).join(''))
}
c.closeSync()
instance.closeSync()
rmSync(dir, { recursive: true })
