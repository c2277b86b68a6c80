import { rm } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { kindWords } from '../disk/nodes.ts'
import { nodeAt } from '../disk/writing.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { soundLedger, upTo } from './case-folder.ts'
import { checkPresence, damagedSegment, strangeSegment } from './damage.ts'
import { Database, type DatabaseOptions } from './duckdb.ts'
import { isOfPackets, ofKind, segmentsOf } from './entries.ts'
import { readProblems } from './evidence-report.ts'
import { caseFiles } from './files.ts'
import type { EvidenceEntry, LedgerEntry } from './ledger.ts'
import { caseFolder } from './nodes.ts'
import { columnsOfLayouts, type Pulled, pulledOf } from './pulled.ts'
import type { EvidenceProblem } from './reports.ts'
import { layoutFaults } from './segment-check.ts'
import { spillFolder } from './spill.ts'
import { type CountedSegment, countedOf } from './standing.ts'
import { createEvidenceTable, createViews } from './views.ts'

/**
 * A case that is open for reading: views of its records and silences, and the table `evidence`, in a database of its own.
 *
 * Any number of questions may be asked of it at the same time: each is answered as if it were alone, and a signal stops one
 * alone. `close` ends those that are still asked; they throw a UserError.
 */
export interface Case {
  dir: string
  /** A folder for what does not fit into memory, gone when the case is closed: in the case if it can be written. */
  temp: string
  evidence: EvidenceEntry[]
  problems: EvidenceProblem[]
  /** Those with rows that count. */
  segments: CountedSegment[]
  /** Files that no longer count: removed, or read again since. Segments may still hold rows of theirs; no view does. */
  out: EvidenceEntry[]
  db: Database
  /** Columns of `flows` that some segment has; the others are null throughout. */
  columns: Set<string>
  /** Set where records were pulled from an engine; sums over those that were left there are in the view `pulled`. */
  pulled: Pulled | null
  /** What the records of `flows` are: those of flow logs or, in a case without any, those made of packets. */
  source: EvidenceKind
  /** The digest of the ledger's last entry: what was worked out from the case is of this state. */
  head: string
  /** Whether what was worked out is taken from the cache, and kept there. */
  usesCache: boolean
  /** Told what is being worked out, where that takes long and is kept for the next question. */
  onWork?: (what: string) => void
  close(): Promise<void>
}

export interface OpenOptions extends Partial<DatabaseOptions> {
  signal?: AbortSignal
  /** The state that is opened: digest of the entry that was the last then. By default the newest. */
  head?: string
}

/**
 * Opens a case for reading. Needs no lock: segments never change, and those that are added later are not seen.
 *
 * @throws UserError when there is no case, or when its ledger was altered; the signal's reason.
 */
export async function openCase(caseDir: string, { signal, head, ...limits }: OpenOptions = {}): Promise<Case> {
  signal?.throwIfAborted()
  const dir = await caseFolder(caseDir)
  const temp = await spillFolder(dir)
  const memory = Math.max(512, Math.min(4096, Math.floor(totalmem() / 2 ** 20 / 4)))
  // DuckDB starts in another thread, while this one reads the ledger.
  const starting = Database.open({
    threads: availableParallelism(),
    memoryLimit: `${memory}MB`,
    tempDirectory: temp,
    ...limits,
  })
  // Told where it is waited for.
  starting.catch(() => undefined)
  const close = async (): Promise<void> => {
    await starting.then(
      db => db.close(),
      () => undefined,
    )
    await rm(temp, { recursive: true, force: true })
  }
  try {
    const entries = upTo(await soundLedger(dir), head, dir)
    signal?.throwIfAborted()
    const c = await opened({ dir, temp }, entries, starting, close)
    signal?.throwIfAborted()
    return c
  } catch (error) {
    await close()
    throw error
  }
}

/** The case of a sound ledger, in a database that is starting. */
async function opened(
  { dir, temp }: Pick<Case, 'dir' | 'temp'>,
  entries: readonly LedgerEntry[],
  starting: Promise<Database>,
  close: () => Promise<void>,
): Promise<Case> {
  const { evidence, segments, out } = countedOf(entries)
  const kind = await nodeAt(join(dir, caseFiles.segments))
  if (kind !== null && kind !== 'folder')
    throw strangeSegment(join(dir, caseFiles.segments), `${kindWords(kind)}, not a folder`)
  checkPresence({ dir, segments })
  const problems = await readProblems(dir, segments, evidence)
  const db = await starting
  const names = new Set(segments.map(segment => segment.name))
  const asWritten = segmentsOf(entries).filter(segment => names.has(segment.name))
  const [fault] = await layoutFaults(db, dir, asWritten)
  if (fault !== undefined) throw damagedSegment(dir, fault.name, fault.fault)
  await createEvidenceTable(db, evidence)
  const source = isOfPackets(segments) ? 'packets' : 'logs'
  await createViews(db, dir, segments, source)
  const columns = new Set(ofKind(segments, source === 'logs' ? 'flows' : 'packet-flows').flatMap(one => one.columns))
  // A capture is the sensor of what it holds.
  if (source === 'packets') columns.add('interface_id')
  const head = entries.at(-1)!.hash
  const pulled = pulledOf(entries, evidence)
  if (pulled !== null && columns.size === 0) for (const name of columnsOfLayouts(evidence)) columns.add(name)
  return { dir, temp, pulled, evidence, problems, segments, out, db, columns, source, head, usesCache: true, close }
}
