/** Addresses and networks as people give them. */
import { exitStatus, UserError } from '../errors.ts'
import { type Prefix, parsePrefix } from './prefix.ts'

/** @param problem what is said of a text that is wrong. @throws UserError (status 2) for a text that is neither an address nor a prefix. */
export function prefixes(texts: readonly string[], problem: string): Prefix[] {
  return texts.map(text => {
    const prefix = parsePrefix(text)
    if (prefix === null)
      throw new UserError(`${problem}: ${text}`, {
        status: exitStatus.usage,
        hint: 'write 20.106.124.93, 10.0.0.0/8, 2001:db8::1 or 2001:db8::/32',
      })
    return prefix
  })
}
