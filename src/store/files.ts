import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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
  /** Questions that the analyst saved; no evidence. */
  queries: 'queries.json',
} as const

/** Lower-case hex SHA-256 and size of a file, read once from start to end. */
export async function digestOfFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(piece as Buffer)
    bytes += (piece as Buffer).length
  }
  return { sha256: hash.digest('hex'), bytes }
}

/** Makes what was written to a file, or a rename in a folder, survive a power cut. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems refuse to sync a folder; there is nothing more to be done for it.
    if (errorCode(error) !== 'EINVAL' && errorCode(error) !== 'EPERM') throw error
  } finally {
    await handle.close()
  }
}

/** Writes a file whole or not at all. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const incoming = `${path}.new`
  await writeFile(incoming, text)
  await sync(incoming)
  await rename(incoming, path)
  await sync(dirname(path))
}

/** Whether an error says that the case can not be written, whatever the evidence is. */
export function isWriteError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG'].includes(systemCode(error) ?? '')
}

/** A full disk and the like, in words; anything else is passed on as it is. */
export function writeError(error: unknown, caseDir: string): unknown {
  const code = systemCode(error)
  const hint = 'what was added before is in the case and safe; run the same command again to go on'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UserError(`disk full while writing the case: ${caseDir}`, {
      cause: error,
      hint: `free some space, then: ${hint}`,
    })
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new UserError(`the case can not be written: ${caseDir}`, {
      cause: error,
      hint: 'check the permissions, or choose another folder with --case',
    })
  }
  return error
}

export function segmentPath(caseDir: string, name: string): string {
  return join(caseDir, caseFiles.segments, name)
}
