/** One end of a connection: a host and its port. */
import type { JSX } from 'preact'
import { hostTerm } from './term.ts'
import { Value } from './value.tsx'

/** `10.0.0.1:22`, `[2001:db8::1]:22`. */
export function endText(address: string, port: number | null): string {
  if (port === null) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

export function EndLink({ address, port }: { address: string; port: number | null }): JSX.Element {
  const isLong = address.includes(':') && port !== null
  return (
    <span class="end">
      {isLong && '['}
      <Value term={hostTerm(address)} />
      {isLong && ']'}
      {port !== null && `:${port}`}
    </span>
  )
}
