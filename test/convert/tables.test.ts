// CSV, NDJSON and Parquet: the same rows, and those of the slow meter.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Database, quotedPath } from '../../src/store/duckdb.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { captures, converted, expectedFlows, inOrder, type Told } from './support.ts'

type Cells = Record<string, string | number | null>

function told(row: Cells): Told {
  const us = (time: string): number => {
    const [seconds, fraction = ''] = time.replace(/Z$/, '').split('.')
    return Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(6, '0'))
  }
  const number = (name: string): number | null => (row[name] === null || row[name] === '' ? null : Number(row[name]))
  return {
    from: `${row['srcaddr']} ${number('srcport')}`,
    to: `${row['dstaddr']} ${number('dstport')}`,
    protocol: Number(row['protocol']),
    packets: Number(row['packets']),
    bytes: Number(row['bytes']),
    first: us(String(row['start'])),
    last: us(String(row['end'])),
    flags: number('tcp_flags') ?? 0,
    tos: Number(row['tos']),
    type: number('icmp_type'),
    code: number('icmp_code'),
    vlan: number('vlan'),
    number: Number(row['first_packet']),
    end: String(row['flow_end']),
  }
}

function csvRows(path: string): Cells[] {
  const text = readFileSync(path, 'utf8')
  assert.ok(text.endsWith('\r\n'))
  const [head, ...lines] = text.trimEnd().split('\r\n')
  const names = head!.split(',')
  return lines.map(line => Object.fromEntries(line.split(',').map((cell, i) => [names[i]!, cell])))
}

const ndjsonRows = (path: string): Cells[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Cells)

async function parquetRows(path: string): Promise<Cells[]> {
  const database = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
  const rows = await database.rows(
    `SELECT * REPLACE (strftime(start, '%Y-%m-%dT%H:%M:%S.%fZ') AS start, strftime("end", '%Y-%m-%dT%H:%M:%S.%fZ') AS "end") FROM read_parquet(${quotedPath(path)})`,
  )
  database.close()
  return rows as Cells[]
}

async function compare(paths: string[], folder: string): Promise<number> {
  const expected = expectedFlows(paths)
  for (const [name, read] of [
    ['rows.csv', csvRows],
    ['rows.ndjson', ndjsonRows],
    ['rows.parquet', parquetRows],
  ] as const) {
    const out = join(folder, name)
    const report = await converted(paths, out)
    const rows = inOrder((await read(out)).map(told))
    assert.deepEqual(rows, expected, name)
    assert.equal(report.rows, rows.length)
    assert.equal(
      report.bytes,
      rows.reduce((sum, row) => sum + row.bytes, 0),
    )
  }
  return expected.length
}

test('CSV, NDJSON and Parquet have the rows of the slow meter', async t => {
  const made = captures(t)
  await compare([made.plain], made.folder)
  await compare([made.odd], made.folder)
  assert.deepEqual(
    readdirSync(made.folder).sort(),
    ['odd.pcapng', 'plain.pcap', 'rows.csv', 'rows.ndjson', 'rows.parquet'],
    'and nothing else is left',
  )
})

test('tunnels and unknown values: null, empty or absent, never a number that was not seen', async t => {
  const made = captures(t)
  const out = join(made.folder, 'rows.ndjson')
  await converted([made.odd], out)
  const rows = ndjsonRows(out)
  const inner = rows.find(row => row['srcaddr'] === '203.0.113.1')!
  assert.deepEqual([inner['tunnel'], inner['tunnel_id'], inner['srcport']], ['gre', null, 7])
  const fragment = rows.find(row => row['protocol'] === 17 && row['srcport'] === null)!
  assert.deepEqual([fragment['dstport'], fragment['tcp_flags'], fragment['vlan']], [null, null, null])
  assert.deepEqual(
    rows.filter(row => row['vlan'] !== null).map(row => row['vlan']),
    [101],
  )
})

test('a Parquet file with a pattern’s signs and quotes in its path', async t => {
  const made = captures(t)
  const out = join(made.folder, "it's [a] *new* folder", 'flows.parquet')
  const { rows } = await converted([made.plain], out)
  assert.equal((await parquetRows(out)).length, rows)
})

test('a capture without packets makes files without rows', async t => {
  const made = captures(t)
  const empty = join(made.folder, 'empty.pcap')
  const { writeFileSync } = await import('node:fs')
  writeFileSync(empty, readFileSync(made.plain).subarray(0, 24))
  for (const name of ['a.csv', 'a.ndjson', 'a.parquet', 'a.nf', 'conn.log', 'vpc.log']) {
    const report = await converted([empty], join(made.folder, name))
    assert.equal(report.rows, 0, name)
    assert.ok(existsSync(join(made.folder, name)), name)
  }
  assert.equal((await parquetRows(join(made.folder, 'a.parquet'))).length, 0)
})

const pcaps = sharedDir === null ? null : join(sharedDir, 'data', 'pcap')
for (const name of [
  'zeek/Traces/wikipedia.pcap',
  'slips/dataset/test12-icmp-portscan.pcap',
  'arkime/mpls-basic.pcap',
]) {
  test(`others’ captures: ${name}`, skipWithout(pcaps === null ? null : join(pcaps, name)), async t => {
    const { folder } = captures(t)
    assert.ok((await compare([join(pcaps!, name)], folder)) > 0)
  })
}
