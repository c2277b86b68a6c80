/** What findings over a whole case say of ends. */
import { noPort } from '../conversations/services.ts'
import { integerText } from '../net/counts.ts'
import { registeredService } from '../net/ports.ts'
import type { CaseEvidence } from './evidence.ts'

/** `10.130.8.94:80`, `[2001:db8::1]:80`, or the address alone. */
export function endText({ address }: Pick<CaseEvidence, 'address'>, host: number, port: number): string {
  const text = address(host)
  if (port === noPort) return text
  return `${text.includes(':') ? `[${text}]` : text}:${port}`
}

/** ` (ssh)`, or nothing where IANA has no name. */
export function nameText(port: number, protocol: number): string {
  const name = registeredService(port, protocol)?.name
  return name === undefined ? '' : ` (${name})`
}

/** 1.5 MB and the like, for sentences; exact figures stand in the scores. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}

/** A count in words; null is one that no record tells. */
export function number(value: number | bigint | null): string {
  if (value === null) return 'an unknown number of'
  // To load the rules of a language takes as long as a small question.
  return typeof value === 'bigint' || Number.isInteger(value) ? integerText(value) : value.toLocaleString('en-US')
}
