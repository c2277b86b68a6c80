import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import type { EvidenceReport } from '../../src/store/reports.ts'
import { verifyCase } from '../../src/store/verify.ts'

/** A sequence of random numbers that its seed alone decides. */
export interface Chance {
  /** A whole number, both ends included. */
  int(from: number, to: number): number
  pick<T>(list: readonly T[]): T
  maybe(probability: number): boolean
}

export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0
  // Mulberry32.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return { int, pick: list => list[int(0, list.length - 1)]!, maybe: probability => next() < probability }
}

/** A number of the environment, for longer or other runs than the usual one. */
export function setting(name: string, usual: number): number {
  return Number(process.env[`TIDEMARK_${name}`] ?? usual)
}

export const defaultHeader =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'

/** One line of the default format, of record number `i`. */
export function recordLine(i: number, bytes = 100 + i): string {
  const start = 1_700_000_000 + i
  const from = `198.51.100.${i % 250}`
  return `2 123456789012 eni-0${i % 7} ${from} 10.0.0.${i % 9} ${1024 + (i % 60000)} 443 6 ${1 + (i % 99)} ${bytes} ${start} ${start + 59} ${i % 5 === 0 ? 'REJECT' : 'ACCEPT'} OK`
}

/** A log with a header and `records` records, the first of which has the number `first`. */
export function logOf(records: number, first = 0): string {
  return `${[defaultHeader, ...Array.from({ length: records }, (_, i) => recordLine(first + i))].join('\n')}\n`
}

/** An empty folder that is gone after the test. */
export function folderFor(t: TestContext, name = 'tidemark-robust-'): string {
  const folder = mkdtempSync(join(tmpdir(), name))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** What the segments of a case hold of each file: records and the sum of their bytes, by path. */
export async function recordsOfFiles(caseDir: string): Promise<Map<string, { records: number; bytes: number }>> {
  const c = await openCase(caseDir)
  try {
    const paths = new Map(c.evidence.filter(file => file.id !== null).map(file => [file.id, file.path]))
    const rows = await c.db.rows('SELECT _file, count(*) AS records, sum(bytes) AS bytes FROM flows GROUP BY _file')
    return new Map(
      rows.map(row => [
        paths.get(Number(row['_file'])) ?? `no file ${row['_file']}`,
        { records: Number(row['records']), bytes: Number(row['bytes']) },
      ]),
    )
  } finally {
    await c.close()
  }
}

/** Fails, with words, what has not ended in time. */
export async function within<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done within ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The report's one file of that name. */
export function fileOf(report: EvidenceReport, path: string): EvidenceReport['files'][number] {
  const found = report.files.filter(file => file.path === path)
  assert.equal(found.length, 1, `${path} is listed once`)
  return found[0]!
}

/** Every byte of the case is as its ledger says, and its segments hold what its ledger lists. */
export async function assertSound(dir: string): Promise<void> {
  assert.deepEqual((await verifyCase(dir)).findings, [])
  const held = await recordsOfFiles(dir)
  for (const file of (await readEvidence(dir)).files)
    assert.equal(held.get(file.path)?.records ?? 0, file.records, file.path)
}
