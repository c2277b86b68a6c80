/** `--anonymise`, of every command that writes records for others. */
import { CryptoPan } from '../anonymise/crypto-pan.ts'
import { isReadByOthers, readKeyFile } from '../anonymise/key-file.ts'
import type { Address } from '../net/address.ts'
import { visible } from '../report/text.ts'
import { note } from './output.ts'

/** What the key in a file makes of an address. @throws UserError (status 2) for a file without one. */
export function keyedChange(path: string): (address: Address) => Address {
  const pan = new CryptoPan(readKeyFile(path))
  return address => pan.address(address)
}

/** Says it where the key is no secret. */
export async function warnOfKeyFile(path: string): Promise<void> {
  if (!isReadByOthers(path)) return
  const name = visible(path)
  await note(`tidemark: warning: others may read ${name}: who has the key can undo --anonymise (chmod 600 ${name})`)
}
