/** A case whose segments are not what its ledger says: told as that, and never as a bug. */

import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { NotRegularError } from '../disk/nodes.ts'
import { statRegular } from '../disk/reading.ts'
import { errorCode, UserError } from '../errors.ts'
import { countText, integerText } from '../net/counts.ts'
import { caseFiles, digestOfFile, segmentPath } from './files.ts'
import type { SegmentEntry } from './ledger.ts'

/** What of a case is needed to tell that it is damaged. */
interface Segments {
  dir: string
  segments: readonly SegmentEntry[]
}

/** The error of a segment that is not as the ledger says. */
export function damagedSegment(dir: string, name: string, why: string): UserError {
  return new UserError(`the case is damaged: ${join(dir, caseFiles.segments, name)}: ${why}`, {
    hint: 'tidemark verify names all that is damaged; make a new case from the evidence, or restore the file from a copy',
  })
}

/** @throws UserError for a segment that is missing, no regular file, or of another size: a look at the folder shows as much. */
export function checkPresence({ dir, segments }: Segments): void {
  for (const { name, bytes } of segments) {
    const { size } = statSegment(dir, name)
    if (size !== bytes)
      throw damagedSegment(dir, name, `it has ${countText(size, 'byte')}, the ledger says ${integerText(bytes)}`)
  }
}

/** The path of a segment that is a regular file: DuckDB opens whatever it is given. @throws UserError for anything else. */
export function regularSegment(dir: string, name: string): string {
  statSegment(dir, name)
  return segmentPath(dir, name)
}

function statSegment(dir: string, name: string): Stats {
  const path = segmentPath(dir, name)
  try {
    return statRegular(path, 'refuse')
  } catch (error) {
    if (error instanceof NotRegularError) throw strangeSegment(path, error.what)
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error
    throw new UserError(`a segment of the case is missing: ${path}`, {
      hint: 'tidemark verify lists all that is missing; make a new case from the evidence',
    })
  }
}

export function strangeSegment(path: string, what: string): UserError {
  return new UserError(`the case is not read: ${what}: ${path}`, {
    hint: 'a case holds files and folders only: put what belongs there in its place; tidemark verify names each',
  })
}

/** What DuckDB says for other reasons than what it read: the query, its limits, its end. */
const otherReason = /^(INTERRUPT|Interrupt|Out of Memory|Parser|Permission) Error|no space left on device/i

/**
 * Does what reads the segments. Where that fails, the segments are looked at: a damaged one is the reason.
 *
 * @throws UserError that names the segment; else the error as it came.
 */
export async function reading<T>(c: Segments, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw signal?.aborted === true ? error : await reasonOf(c, error)
  }
}

/** The damage that explains an error, or the error. */
export async function reasonOf(c: Segments, error: unknown): Promise<unknown> {
  if (error instanceof UserError || !(error instanceof Error) || otherReason.test(error.message)) return error
  if (error.name === 'AbortError' || errorCode(error) !== undefined) return error
  return (await damageOf(c).catch(failure => failure)) ?? error
}

/** The first segment that is not as the ledger says; null if all are. */
async function damageOf({ dir, segments }: Segments): Promise<UserError | null> {
  checkPresence({ dir, segments })
  for (const { name, sha256 } of segments) {
    const found = await digestOfFile(segmentPath(dir, name))
    if (found.sha256 !== sha256) return damagedSegment(dir, name, 'its digest is not that of the ledger')
  }
  return null
}
