/** One case out of several, to be asked as one: their segments under two names, their entries in one ledger. */
import { constants } from 'node:fs'
import { copyFile, link, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { removeNode, replaceFile } from '../disk/writing.ts'
import { assert, errorCode, UserError } from '../errors.ts'
import { soundLedger } from './case-folder.ts'
import { segmentsOf } from './entries.ts'
import { caseFiles, segmentPath } from './files.ts'
import { type LedgerEntry, ledgerOf } from './ledger.ts'
import { isReading } from './ledger-entry.ts'

/**
 * Makes a case in which all files of several cases stand, in their order; what was removed in one stays removed. What lay at `into` is gone. The
 * cases themselves are not changed: segments are linked where the disk can do that, and else copied.
 *
 * The numbers of files must differ from case to case (`idsAbove` of `addEvidence`).
 *
 * @throws UserError where one of the cases is altered or damaged, or two have a file of one number.
 */
export async function joinCases(into: string, dirs: readonly string[], signal?: AbortSignal): Promise<void> {
  await removeNode(into)
  for (const folder of [caseFiles.segments, caseFiles.incoming]) await mkdir(join(into, folder), { recursive: true })
  const joined: LedgerEntry[] = []
  const numbers = new Set<number>()
  for (const dir of dirs) {
    signal?.throwIfAborted()
    const entries = await soundLedger(dir)
    const places = new Map<number, number>()
    for (const entry of entries) {
      // The first says how the case was made: one is enough.
      if (entry.type === 'created' && joined.length > 0) continue
      requireOwnNumbers(entry, numbers, dir)
      places.set(entry.seq, joined.length)
      joined.push(moved(entry, places))
    }
    for (const { name } of segmentsOf(entries)) {
      signal?.throwIfAborted()
      await linkOrCopy(segmentPath(dir, name), segmentPath(into, name))
    }
  }
  const { lines, head } = ledgerOf(joined.map(({ seq: _s, prev: _p, hash: _h, ...entry }) => entry as LedgerEntry))
  await replaceFile(join(into, caseFiles.ledger), lines.join(''))
  await replaceFile(join(into, caseFiles.head), head)
}

function requireOwnNumbers(entry: LedgerEntry, numbers: Set<number>, dir: string): void {
  if (!isReading(entry)) return
  for (const { id } of entry.evidence) {
    if (id === null) continue
    if (numbers.has(id))
      throw new UserError(`two cases have a file of the number ${id}, and cannot be asked as one: ${dir}`, {
        hint: 'only cases that one watch made can be',
      })
    numbers.add(id)
  }
}

/** What refers to entries refers to their new places. */
function moved(entry: LedgerEntry, places: ReadonlyMap<number, number>): LedgerEntry {
  if (entry.type !== 'removed' && entry.type !== 'restored') return entry
  const files = entry.files.map(file => {
    const place = places.get(file.entry)
    assert(place !== undefined, 'an entry refers to one before it')
    return { ...file, entry: place }
  })
  return { ...entry, files }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errorCode(error) ?? '')) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  }
}
