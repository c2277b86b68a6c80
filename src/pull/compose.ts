/** The case of a pull, out of one that its files were read into: the same segments, sums besides, and one entry in the ledger for all. */
import { mkdir, rename } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { assert, UserError } from '../errors.ts'
import { createCase, createCaseFolder, soundLedger, tidemarkVersion } from '../store/case-folder.ts'
import { caseFiles, segmentPath } from '../store/files.ts'
import { LedgerWriter, readLedger, type SegmentEntry } from '../store/ledger.ts'
import { isReading, type PullNote } from '../store/ledger-entry.ts'
import { placeSegments, SegmentWriter } from '../store/segment-writer.ts'
import type { Sums } from './sums.ts'

/** What the files of a pull were read into. */
export interface ReadFiles {
  /** The case whose ledger says what they hold. */
  scratch: string
  /** The case that its segments are in now. */
  segments: string
}

interface Composing {
  /** Where the files lie, under the folder of a case. */
  folder: string
  /** Where the case will lie: paths of its files say that. */
  place: string
  /** Of each object its file in the pull; not of those that are read whole. */
  files: ReadonlyMap<string, string>
  /** A case whose entries of added files are taken over, with their segments; null: none. */
  added: string | null
  sums: Sums
  command: string
  note: Omit<PullNote, 'parts'>
}

/**
 * Makes the case. The segments are moved into it.
 *
 * @param dir may hold the files already. @param read what the files were read into; null: there are none, for all objects are read whole.
 */
export async function composed(
  dir: string,
  read: ReadFiles | null,
  { folder, place, files, added, sums, command, note }: Composing,
): Promise<void> {
  const readings = read === null ? [] : (await soundLedger(read.scratch)).filter(isReading)
  const segments = readings.flatMap(entry => entry.segments)
  const within = (path: string): string => relative(folder, path)
  const evidence = readings.flatMap(entry =>
    entry.evidence.map(file => ({ ...file, path: join(place, within(file.path)) })),
  )
  const ids = new Map(evidence.map(file => [file.path, file.id!]))
  const parts = [...files].map(([object, name]) => {
    const file = join(caseFiles.pulled, '001', name)
    const id = ids.get(join(place, file))
    assert(id !== undefined, 'every file of a pull was read')
    return { id, object, file, ...sums.of(object) }
  })
  const behind = new Map(parts.map(({ id, records }) => [id, records]))
  if (evidence.some(({ id, records }) => records > (behind.get(id!) ?? 0)))
    throw new UserError('the table changed while it was read', { hint: 'end the time before now: --to' })
  await createCaseFolder(dir)
  await createCase(dir)
  if (read !== null) await moved(read.segments, dir, segments)
  const own = await writtenSums(dir, sums, new Map(parts.map(part => [part.object, part.id])))
  const all = [...segments, ...own]
  const ledger = await LedgerWriter.open(dir, await readLedger(dir))
  const prepared = ledger.prepare({
    ...{ type: 'pulled', tidemark: tidemarkVersion(), command, evidence, segments: all },
    pull: { ...note, parts },
  })
  await placeSegments(
    dir,
    all.map(segment => segment.name),
  )
  await ledger.commit(prepared)
  if (added !== null) await takenOver(dir, added, ledger)
}

/** Enters what was added to another case. */
async function takenOver(dir: string, from: string, ledger: LedgerWriter): Promise<void> {
  for (const entry of await soundLedger(from)) {
    if (entry.type !== 'added') continue
    const { type, tidemark, command, evidence, segments } = entry
    await moved(from, dir, segments)
    const prepared = ledger.prepare({ type, tidemark, command, evidence, segments })
    await placeSegments(
      dir,
      segments.map(segment => segment.name),
    )
    await ledger.commit(prepared)
  }
}

async function moved(from: string, to: string, segments: readonly SegmentEntry[]): Promise<void> {
  for (const { name } of segments) await rename(segmentPath(from, name), join(to, caseFiles.incoming, name))
}

async function writtenSums(dir: string, sums: Sums, ids: ReadonlyMap<string, number>): Promise<SegmentEntry[]> {
  const { columns, rows } = sums.columns(ids)
  if (rows === 0) return []
  await mkdir(join(dir, caseFiles.incoming), { recursive: true })
  const writer = await SegmentWriter.open(dir)
  try {
    return [await writer.writePulled('pulled-000001-00000000', columns, rows)]
  } finally {
    await writer.close()
  }
}
