/** The file that holds a key of Crypto-PAn. What is in it is in no message. */
import { statSync } from 'node:fs'
import { NotRegularError, TooLargeError } from '../disk/nodes.ts'
import { readSmall } from '../disk/reading.ts'
import { exitStatus, UserError } from '../errors.ts'
import { systemFailure } from '../system-error.ts'
import { keyBytes } from './crypto-pan.ts'

/** Longest content: 0x, 64 digits and blanks around them. */
const largest = 256

const hint = 'make one that only you may read: (umask 077; head -c 32 /dev/urandom > KEYFILE)'

/**
 * The 32 bytes of a key: as they are; as 64 hexadecimal digits, also after 0x; or as the 32 characters that nfanon takes. Blanks around
 * the last two count for nothing.
 *
 * @throws UserError (status 2) for a file that is not there, or holds no key.
 */
export function readKeyFile(path: string): Buffer {
  const bytes = contentOf(path)
  const key = keyOf(bytes)
  if (key === null)
    throw refused(
      path,
      `no key: a key is 32 bytes, or 64 hexadecimal digits, and the file has ${bytes.length === 1 ? '1 byte' : `${bytes.length} bytes`}`,
    )
  if (key.every(byte => byte === key[0])) throw refused(path, 'no key: all of its bytes are the same')
  return key
}

/** Whether others than its owner may read a file; false where there is none. */
export function isReadByOthers(path: string): boolean {
  const info = statSync(path, { throwIfNoEntry: false })
  return info !== undefined && process.platform !== 'win32' && (info.mode & 0o077) !== 0
}

function contentOf(path: string): Buffer {
  try {
    return readSmall(path, 'follow', largest)
  } catch (error) {
    if (error instanceof NotRegularError) throw refused(path, error.what)
    if (error instanceof TooLargeError) throw refused(path, 'no key: a key is 32 bytes, or 64 hexadecimal digits')
    throw refused(path, systemFailure(error)?.message ?? 'cannot be read')
  }
}

function keyOf(bytes: Buffer): Buffer | null {
  if (bytes.length === keyBytes) return bytes
  const text = bytes.toString('latin1').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
  const [, digits] = /^(?:0x)?([0-9a-f]{64})$/i.exec(text) ?? []
  if (digits !== undefined) return Buffer.from(digits, 'hex')
  return /^[\x20-\x7e]{32}$/.test(text) ? Buffer.from(text, 'latin1') : null
}

function refused(path: string, what: string): UserError {
  return new UserError(`--anonymise ${path}: ${what}`, { hint, status: exitStatus.usage })
}
