import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addEvidence } from '../../src/ingest/add.ts'
import type { Cell, ResultColumn } from '../../src/user-sql/cells.ts'
import type { Ending } from '../../src/user-sql/protocol.ts'
import { defaultLimits, type QueryLimits, type QuerySession } from '../../src/user-sql/session.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags strange-field'
const eni = '2 123456789012 eni-0a1b2c3d'

/** A log with both addresses of IP, a count beyond 2^53, silence and a line that cannot be read. */
export const logLines = [
  header,
  `${eni} 203.0.113.7 10.0.0.5 50000 22 6 10 1000 1700000000 1700000059 ACCEPT OK 2 alpha`,
  `${eni} 10.0.0.5 203.0.113.7 22 50000 6 20 18446744073709551615 1700000000 1700000059 ACCEPT OK 18 alpha`,
  `${eni} 203.0.113.7 10.0.0.5 50001 23 6 1 40 1700000060 1700000119 REJECT OK 2 =cmd()`,
  `${eni} 2001:db8:0:0:1::1 2001:db8::5 40000 53 17 5 500 1700000060 1700000119 ACCEPT OK 0 \u202e`,
  `${eni} - - - - - - - 1700000120 1700000179 - NODATA - -`,
  `${eni} - - - - - - - 1700000180 1700000239 - SKIPDATA - -`,
  `${eni} 203.0.113.7 10.0.0.5 50001 23 6 1 40 1700001060 1700001119 REJECT OK 2 beta`,
  `${eni} 203.0.113.7 10.0.0.5 50002`,
]

/** A folder with a case in it and a file beside it that no query may read; gone when the process ends. */
export async function caseFolder(lines: readonly string[] = logLines): Promise<{ folder: string; caseDir: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-sql-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'logs'))
  writeFileSync(join(folder, 'logs', 'a_fl-0123abcd_x.log'), `${lines.join('\n')}\n`)
  writeFileSync(join(folder, 'outside.csv'), `${secret}\n`)
  const caseDir = join(folder, 'case.tidemark')
  await addEvidence({ case: caseDir, paths: [join(folder, 'logs')], workers: 1 })
  return { folder, caseDir }
}

export const secret = 'canary-7f3a'

/** Every file below a folder with its content, but for what readers spill. */
export function snapshot(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter(name => !name.includes('.tidemark-spill-') && statSync(join(folder, name)).isFile())
  return new Map(files.map(name => [name, readFileSync(join(folder, name), 'latin1')]))
}

export interface Answered {
  columns: ResultColumn[]
  rows: Cell[][]
  end: Ending
}

export async function ask(session: QuerySession, sql: string, limits: Partial<QueryLimits> = {}): Promise<Answered> {
  const columns: ResultColumn[] = []
  const rows: Cell[][] = []
  const sink = {
    columns: (own: readonly ResultColumn[]) => void columns.push(...own),
    rows: (own: readonly Cell[][]) => void rows.push(...own),
  }
  const end = await session.run(sql, { ...defaultLimits, ...limits }, sink)
  return { columns, rows, end }
}

/** The one value of a result. */
export async function value(session: QuerySession, sql: string): Promise<Cell> {
  const { rows } = await ask(session, sql)
  return rows[0]?.[0] ?? null
}
