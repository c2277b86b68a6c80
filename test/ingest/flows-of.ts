import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { formatAddress } from '../../src/net/address.ts'
import { utcSeconds } from '../../src/net/time.ts'
import { fieldNamed } from '../../src/records/fields.ts'
import { openCase } from '../../src/store/case.ts'
import type { EvidenceReport } from '../../src/store/reports.ts'
import { temporaryFolder } from '../cli/run.ts'

/** A row as a test writes it: addresses and times as text, nulls left out, integers as numbers where they are exact. */
export type PlainRow = Record<string, unknown>

export interface Reading {
  report: EvidenceReport
  /** Flow records, in order of file and line. */
  flows: PlainRow[]
  silence: PlainRow[]
}

/** Reads evidence into a case and asks the case for what it holds. */
export async function flowsOf(t: TestContext, paths: string[], format?: string): Promise<Reading> {
  const folder = join(temporaryFolder(t), 'case')
  const report = await addEvidence({ case: folder, paths, workers: 1, ...(format !== undefined && { format }) })
  const opened = await openCase(folder)
  try {
    const described = await opened.db.rows('DESCRIBE flows')
    const columns = described.map(row => String(row['column_name'])).filter(name => name !== '_file')
    const flows = await opened.db.rows(
      `SELECT ${columns.flatMap(selected).join(', ')} FROM flows ORDER BY _file, _line`,
    )
    const silence = await opened.db.rows(
      'SELECT _line, sensor, status, epoch_us(start) AS start, epoch_us("end") AS "end" FROM silence ORDER BY _file, _line',
    )
    return {
      report,
      flows: flows.map(row => plain(row, columns)),
      silence: silence.map(row => plain(row, Object.keys(row))),
    }
  } finally {
    await opened.close()
  }
}

function selected(name: string): string[] {
  const quoted = `"${name.replaceAll('"', '""')}"`
  switch (fieldNamed(name)?.type) {
    case 'address':
      return [`${quoted}.hi AS "${name} hi"`, `${quoted}.lo AS "${name} lo"`]
    case 'time':
      return [`epoch_us(${quoted}) AS ${quoted}`]
    default:
      return [quoted]
  }
}

function plain(row: Record<string, unknown>, columns: string[]): PlainRow {
  const entries = columns.map(name => {
    const type = fieldNamed(name)?.type
    if (type === 'address') {
      const [hi, lo] = [row[`${name} hi`], row[`${name} lo`]]
      return [name, lo === null ? null : formatAddress(BigInt(hi as number), BigInt(lo as number))]
    }
    if (type === 'time' && row[name] !== null) return [name, utcSeconds(Number(row[name]))]
    return [name, row[name]]
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== null))
}

/** The rows with no more than these fields. */
export function only(rows: PlainRow[], ...names: string[]): PlainRow[] {
  return rows.map(row => Object.fromEntries(names.filter(name => name in row).map(name => [name, row[name]])))
}
