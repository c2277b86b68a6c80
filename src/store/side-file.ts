/** Small files of JSON that lie in a case beside the evidence: read whole within a limit, and replaced whole. */
import { createHash } from 'node:crypto'
import { NotRegularError, TooLargeError } from '../disk/nodes.ts'
import { readSmallIfThere } from '../disk/reading.ts'
import { replaceFile } from '../disk/writing.ts'
import { errorCode, UserError } from '../errors.ts'

/**
 * The text of a file; null without one. A link is not followed.
 *
 * @param unreadable makes the error of a reason in words.
 */
export function readSideFile(
  path: string,
  megabytesMax: number,
  unreadable: (why: string, cause: unknown) => UserError,
): string | null {
  try {
    return readSmallIfThere(path, 'refuse', megabytesMax << 20)?.toString() ?? null
  } catch (error) {
    if (error instanceof NotRegularError) throw unreadable(error.what, error)
    if (error instanceof TooLargeError) throw unreadable(`larger than ${megabytesMax} MiB`, error)
    const code = errorCode(error)
    throw code === 'EACCES' || code === 'EPERM' ? unreadable('permission denied', error) : error
  }
}

/** The value of a text of JSON; null for what is none, and no side file holds null. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Lower-case hex SHA-256 of a value as it is written in JSON, its parts in their order. */
export function digestOfValue(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

/** @param cannot `the query cannot be saved`. @throws UserError where the case cannot be written. */
export async function replaceSideFile(path: string, text: string, cannot: string): Promise<void> {
  try {
    await replaceFile(path, text)
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM', 'ENOENT'].includes(errorCode(error) ?? '')) throw error
    throw new UserError(`${cannot}: ${path}`, {
      cause: error,
      hint: 'check that there is a case, and that it can be written',
    })
  }
}
