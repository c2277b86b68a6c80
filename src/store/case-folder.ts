/** The folder of a case: made, and cleared of what interrupted writers left. */
import { existsSync, lstatSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { removeNode, replaceFile, requireFolder, sync } from '../disk/writing.ts'
import { errorCode, UserError } from '../errors.ts'
import { segmentsOf } from './entries.ts'
import { caseFiles, digestOfFile, segmentPath } from './files.ts'
import { alteredLedger, emptyLedger, type LedgerEntry, LedgerWriter, noCase, readLedger } from './ledger.ts'
import { clearPassing, isCaseName } from './nodes.ts'
import { isSpilledInto } from './spill.ts'

/** The version that writes this case. */
export function tidemarkVersion(): string {
  return (createRequire(import.meta.url)('tidemark/package.json') as { version: string }).version
}

const readme = `A Tidemark case.

segments/      immutable Parquet: flow records of logs (flows-*), NODATA and SKIPDATA lines (silence-*),
               flow records and connections made of packets (packet-flows-*, connections-*); places that were not read (problems-*)
ledger.jsonl   what each file of evidence held, each segment's SHA-256, each entry chained to the one before
ledger.head    the digest of the last entry

Change nothing here; "tidemark verify" finds what was changed. Copy the folder to copy the case.
`

/** Makes the case's folder, unless there is a case. The folder may exist, but not with anything else in it. */
export async function createCaseFolder(caseDir: string): Promise<void> {
  if (existsSync(join(caseDir, caseFiles.ledger))) return
  await mkdir(caseDir, { recursive: true })
  const strange = (await readdir(caseDir)).filter(name => !isCaseName(name))
  if (strange.length > 0) {
    throw new UserError(`the folder holds something else: ${caseDir} (${strange[0]})`, {
      hint: 'name an empty or new folder with --case',
    })
  }
}

/** Makes an empty case, unless there is one. The caller holds the lock: two beginnings would be an altered ledger. */
export async function createCase(caseDir: string): Promise<void> {
  if (!(await isUnmade(caseDir))) return
  await requireFolder(join(caseDir, caseFiles.segments))
  await requireFolder(join(caseDir, caseFiles.incoming))
  await replaceFile(join(caseDir, caseFiles.readme), readme)
  await sync(dirname(caseDir))
  const { sha256: readmeDigest } = await digestOfFile(join(caseDir, caseFiles.readme))
  const torn = existsSync(join(caseDir, caseFiles.ledger))
  const writer = await LedgerWriter.open(caseDir, { ...emptyLedger, torn })
  // The engine is loaded only where a case is made.
  const { duckdbVersion } = await import('./duckdb.ts')
  const created = writer.prepare({
    type: 'created',
    schema: 1,
    tidemark: tidemarkVersion(),
    duckdb: duckdbVersion(),
    node: process.version,
    readme_sha256: readmeDigest,
  })
  await writer.commit(created)
}

/** Whether there is no case yet, or only what a writer left that was killed while it made one. */
async function isUnmade(caseDir: string): Promise<boolean> {
  if (!existsSync(join(caseDir, caseFiles.ledger))) return true
  const { hashes, faults, head } = await readLedger(caseDir)
  if (hashes.length > 0 || faults.length > 0 || head !== 'missing') return false
  return (await readdir(join(caseDir, caseFiles.segments)).catch(() => [])).length === 0
}

/** Empties `incoming`, but for the spill folders of readers that are at work on this machine. The caller holds the lock. */
export async function clearIncoming(caseDir: string): Promise<void> {
  const incoming = join(caseDir, caseFiles.incoming)
  await requireFolder(incoming)
  for (const name of await readdir(incoming)) {
    if (isSpilledInto(name)) continue
    await removeNode(join(incoming, name))
  }
}

/** Removes what an interrupted writer left: files that the ledger does not name. The caller holds the lock. */
export async function clearLeftovers(caseDir: string, entries: readonly LedgerEntry[]): Promise<void> {
  await clearIncoming(caseDir)
  await clearPassing(caseDir)
  await requireFolder(join(caseDir, caseFiles.segments))
  const named = new Set(segmentsOf(entries).map(segment => segment.name))
  for (const name of await readdir(join(caseDir, caseFiles.segments))) {
    if (!named.has(name)) await removeNode(segmentPath(caseDir, name))
  }
}

/** @throws UserError where there is no case, with its path: what answers questions about a case does not tell where it lies. */
export function requireCase(caseDir: string): void {
  try {
    lstatSync(join(caseDir, caseFiles.ledger))
  } catch (error) {
    // What may not be looked at is no missing case: who reads it says why not.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') throw noCase(resolve(caseDir))
  }
}

/**
 * The ledger's entries, or an error that says what is wrong with it.
 *
 * A case whose ledger was altered is not opened: its figures could be anybody's.
 */
export async function soundLedger(caseDir: string): Promise<LedgerEntry[]> {
  const reading = await readLedger(caseDir)
  if (reading.entries.length === 0 && (await isUnmade(caseDir))) throw noCase(caseDir)
  if (reading.faults.length > 0 || reading.entries[0]?.type !== 'created') {
    throw alteredLedger(caseDir, reading.faults[0] ?? 'it has no beginning')
  }
  // What was cut off its end would be missing from every figure.
  if (reading.head === 'unknown' || (reading.head === 'missing' && reading.hashes.length > 1)) {
    throw alteredLedger(caseDir, 'entries were cut off its end, or ledger.head was changed or removed')
  }
  return reading.entries
}

/** The ledger as it was when `head` was its last entry: nothing that it names is ever changed. */
export function upTo(entries: LedgerEntry[], head: string | undefined, dir: string): LedgerEntry[] {
  if (head === undefined) return entries
  const last = entries.findIndex(entry => entry.hash === head)
  if (last < 0)
    throw new UserError(`the folder of the case was replaced while it was open: ${dir}`, {
      hint: 'it holds another case now: in the workbench press “Load the new records”; a command is run again',
    })
  return entries.slice(0, last + 1)
}
