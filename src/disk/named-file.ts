/** A file that the user named, held whole. */
import { errorCode, errorText, exitStatus, UserError } from '../errors.ts'
import { NotRegularError, TooLargeError } from './nodes.ts'
import { readSmall } from './reading.ts'

const megabyte = 2 ** 20

/** @param what how messages call it, as `--list bad.txt`. @throws UserError where it is not there, is no regular file, or is larger than `megabytes`. */
export function readNamed(what: string, path: string, megabytes: number, status: number = exitStatus.failed): Buffer {
  try {
    return readSmall(path, 'follow', megabytes * megabyte)
  } catch (error) {
    if (error instanceof TooLargeError) {
      throw new UserError(`${what}: exceeds ${megabytes} MB`, { hint: 'split it into several files', status })
    }
    if (error instanceof NotRegularError) throw new UserError(`${what}: ${error.what}`, { status })
    const isMissing = errorCode(error) === 'ENOENT'
    const fault = isMissing ? 'no such file' : `cannot be read (${errorCode(error) ?? errorText(error)})`
    throw new UserError(`${what}: ${fault}`, { hint: 'check the name', status })
  }
}

/** Its text. @throws UserError where it is not UTF-8. */
export function utf8(what: string, bytes: Uint8Array, hint: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UserError(`${what}: not UTF-8`, { hint })
  }
}
