/** The case of a pull, out of one that its files were read into: the same segments, sums besides, and one entry in the ledger for all. */
import { mkdir, rename } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { assert, UserError } from '../errors.ts'
import { createCase, createCaseFolder, soundLedger, tidemarkVersion } from '../store/case-folder.ts'
import { caseFiles, segmentPath } from '../store/files.ts'
import { type EvidenceEntry, LedgerWriter, readLedger, type SegmentEntry } from '../store/ledger.ts'
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
  /** Of each object its file in the pull. */
  files: ReadonlyMap<string, string>
  sums: Sums
  command: string
  note: Omit<PullNote, 'parts'>
}

/**
 * Makes the case. The segments are moved into it.
 *
 * @param dir may hold the files already.
 */
export async function composed(
  dir: string,
  { scratch, segments: from }: ReadFiles,
  { folder, place, files, sums, command, note }: Composing,
): Promise<EvidenceEntry[]> {
  const readings = (await soundLedger(scratch)).filter(isReading)
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
  for (const { name } of segments) await rename(segmentPath(from, name), join(dir, caseFiles.incoming, name))
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
  return evidence
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
