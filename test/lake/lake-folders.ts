/** Folders of flow logs as AWS writes them, for statements that make tables of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { findLayouts, type LayoutsFound } from '../../src/lake/layouts.ts'
import { folderPlace } from '../../src/lake/places.ts'
import { Database } from '../../src/store/duckdb.ts'

const values: Record<string, string> = {
  version: '5',
  'account-id': '111122223333',
  srcaddr: '10.0.0.1',
  dstaddr: '2001:db8::1',
  srcport: '40000',
  dstport: '443',
  protocol: '6',
  packets: '3',
  bytes: '1200',
  start: '1695920000',
  end: '1695920060',
  action: 'ACCEPT',
  'log-status': 'OK',
  'tgw-id': 'tgw-1',
}

/** A file of a flow log with three records in any order of fields, a word that nobody knows in each that is not listed. */
export function logFile(fields: string, bytes = 1200): string {
  const names = fields.split(' ')
  const line = (i: number) =>
    names.map(name => (name === 'bytes' ? String(bytes + i) : (values[name] ?? '-'))).join(' ')
  return `${[fields, line(0), line(1), line(2)].join('\n')}\n`
}

export function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), path.endsWith('.gz') ? gzipSync(text) : text)
}

export const orders = {
  default:
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status',
  custom: 'bytes dstaddr srcaddr end start region log-status version brand-new-field p-day',
  transit:
    'version resource-type account-id tgw-id tgw-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status packets-lost-no-route',
}

export const account = '111122223333'
const plainDay = (region: string, day: string) => `AWSLogs/${account}/vpcflowlogs/${region}/${day}`
const fileName = (region: string, id: string) =>
  `${account}_vpcflowlogs_${region}_fl-${id}_20230928T1620Z_0badc0de.log.gz`

/** Two regions, two days, flow logs of three orders of fields. */
export function writePlainTree(root: string, prefix = ''): void {
  const put = (region: string, day: string, id: string, fields: string, bytes?: number) =>
    write(root, `${prefix}${plainDay(region, day)}/${fileName(region, id)}`, logFile(fields, bytes))
  put('us-east-1', '2023/09/28', '0a', orders.default, 100)
  put('us-east-1', '2023/09/29', '0a', orders.default, 200)
  put('eu-central-1', '2023/09/28', '0b', orders.custom, 300)
  put('eu-central-1', '2023/09/28/16', '0c', orders.transit, 400)
}

/** One order of fields in folders as Hive names them. */
export function writeHiveTree(root: string): void {
  for (const [day, bytes] of [
    ['28', 100],
    ['29', 200],
  ] as const) {
    const folder = `AWSLogs/aws-account-id=${account}/aws-service=vpcflowlogs/aws-region=us-east-1/year=2023/month=09/day=${day}`
    write(root, `${folder}/hour=16/${fileName('us-east-1', '0a')}`, logFile(orders.default, bytes))
  }
}

export async function layoutsOf(root: string): Promise<LayoutsFound> {
  return findLayouts((await folderPlace(root)).files)
}

/** The columns of AWS's Parquet of the default fields, and of one that nobody knows. */
const parquetRow = `5::INTEGER AS version, '${account}' AS account_id, 'eni-1' AS interface_id, '10.0.0.1' AS srcaddr,
  '2001:db8::1' AS dstaddr, 40000::INTEGER AS srcport, 443::INTEGER AS dstport, 6::INTEGER AS protocol, 3::BIGINT AS packets,
  1695920000::BIGINT AS start, 1695920060::BIGINT AS "end", 'ACCEPT' AS action, 'OK' AS log_status, 'x' AS brand_new`

/** Two days of AWS's Parquet, and of each a row with its number of bytes. */
export async function writeParquetTree(
  root: string,
  kind: 'plain' | 'hive',
  { columns = parquetRow, id = '0f' } = {},
): Promise<void> {
  const db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
  try {
    for (const [day, bytes] of [
      ['28', 100],
      ['29', 200],
    ] as const) {
      const folder =
        kind === 'plain'
          ? plainDay('us-east-1', `2023/09/${day}`)
          : `AWSLogs/aws-account-id=${account}/aws-service=vpcflowlogs/aws-region=us-east-1/year=2023/month=09/day=${day}`
      const path = join(root, folder, fileName('us-east-1', id).replace('.log.gz', '.log.parquet'))
      mkdirSync(dirname(path), { recursive: true })
      await db.run(
        `COPY (SELECT ${columns}, ${bytes}::BIGINT AS bytes) TO '${path}' (FORMAT parquet, COMPRESSION gzip)`,
      )
    }
  } finally {
    db.close()
  }
}
