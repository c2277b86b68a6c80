/** Addresses and networks, as people write them into a field. */
import { exitStatus, UserError } from '../errors.ts'
import { parseIndicator } from '../net/indicator.ts'

/** Each once, in its usual form. @throws UserError (status 2) for what is none. */
export function subjectsOf(texts: readonly string[]): string[] {
  return [...new Set(texts.map(subjectOf))]
}

function subjectOf(text: string): string {
  const subject = parseIndicator(text)
  if (subject !== null) return subject.text
  throw new UserError(`not an address or a network: ${text}`, {
    hint: 'write 203.0.113.7, 2001:db8::1 or 10.0.0.0/8; a name is no address',
    status: exitStatus.usage,
  })
}
