import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { NotRegularError } from '../disk/nodes.ts'
import { piecesOf } from '../disk/reading.ts'
import { errorCode, UserError } from '../errors.ts'
import { systemCode } from '../system-error.ts'

/** Names within a case folder. */
export const caseFiles = {
  ledger: 'ledger.jsonl',
  head: 'ledger.head',
  lock: 'write.lock',
  segments: 'segments',
  /** Files on their way into `segments`; whatever is here belongs to nobody after a crash. */
  incoming: 'incoming',
  readme: 'README.txt',
  /** What was worked out from the segments, and can be again. */
  cache: 'cache',
  /** Files that were pulled from an engine. */
  pulled: 'pulled',
  /** Questions that the analyst saved; no evidence. */
  queries: 'queries.json',
  /** The analyst's own words; no evidence. */
  notes: 'notes.json',
  /** Which files say what addresses are; no evidence. */
  enrichment: 'enrichment.json',
} as const

/**
 * Lower-case hex SHA-256 and size of a regular file of a case, read once from start to end.
 *
 * @param onProgress called with the bytes so far, between pieces; what it throws ends the reading.
 * @throws NotRegularError for a link, a pipe or a device.
 */
export async function digestOfFile(
  path: string,
  onProgress?: (bytes: number) => void,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of piecesOf(path, 'refuse')) {
    hash.update(piece)
    bytes += piece.length
    onProgress?.(bytes)
  }
  return { sha256: hash.digest('hex'), bytes }
}

/** Whether an error says that the case cannot be written, whatever the evidence is. */
export function isCaseWriteError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG'].includes(systemCode(error) ?? '')
}

/** A full disk and the like, in words; anything else is passed on as it is. */
export function caseWriteError(error: unknown, caseDir: string): unknown {
  const code = systemCode(error)
  const hint = 'what was added before is in the case and safe; run the same command again to go on'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UserError(`disk full while writing the case: ${caseDir}`, {
      cause: error,
      hint: `free some space, then: ${hint}`,
    })
  }
  if (code === 'EFBIG') {
    return new UserError(`a file of the case becomes larger than is allowed: ${caseDir}`, {
      cause: error,
      hint: `raise the limit (ulimit -f), then: ${hint}`,
    })
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new UserError(`the case cannot be written: ${caseDir}`, {
      cause: error,
      hint: 'check the permissions, or choose another folder with --case',
    })
  }
  return error
}

export function segmentPath(caseDir: string, name: string): string {
  return join(caseDir, caseFiles.segments, name)
}

/** Errors that tell of the file. Others (no permission, too many open files) tell of the machine. */
const codesOfFiles = new Set(['ENOENT', 'EIO', 'EISDIR', 'ELOOP', 'ENOTDIR'])

/** Whether a file could not be read for what it is, and not for what the machine refuses. */
export function isOfFile(error: unknown): boolean {
  return error instanceof NotRegularError || codesOfFiles.has(errorCode(error) ?? '')
}
