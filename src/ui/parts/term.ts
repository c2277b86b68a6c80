/** What a value of the evidence is in the filter language. No DOM here. */
import { protocolName, protocolNumbers } from '../../net/protocols.ts'

export interface Term {
  /** `10.0.0.1`, `443`: what is shown and copied. */
  text: string
  /** As a term of the filter language: `ip 10.0.0.1`. Null: it cannot be asked for. */
  filter: string | null
  /** The same as source and as destination, where there are sides. */
  source?: string
  destination?: string
  /** A page of its own: `/host/10.0.0.1`. */
  page?: string
}

/** Blanks and comments. */
const nothing = /^(\s|#[^\n]*)*$/

/** A filter and one more term. */
export function joined(filter: string, term: string): string {
  const before = filter.trim()
  if (nothing.test(before) || before === term) return term
  if (before.includes('#')) return `(${before}\n) and ${term}`
  return /\bor\b|\|\|/i.test(before) ? `(${before}) and ${term}` : `${before} and ${term}`
}

/** All but what a term matches. */
export function without(term: string): string {
  return /^\S+ \S+$/.test(term) ? `not ${term}` : `not (${term})`
}

/** The first second that a filter cannot name: the year 10000. */
const endOfTimes = 253_402_300_800
const lastMoment = '9999-12-31T23:59:59.999999Z'

/** A filter for records that begin in a window, as the commands take it. */
export function withWindow(filter: string, { from, to }: { from: number | null; to: number | null }): string {
  const bounds = [
    from === null ? [] : from < endOfTimes ? `first seen >= ${iso(from)}` : `first seen > ${lastMoment}`,
    to === null ? [] : to < endOfTimes ? `first seen < ${iso(to)}` : `first seen <= ${lastMoment}`,
  ].flat()
  return bounds.length === 0 ? filter.trim() : joined(filter, bounds.join(' and '))
}

function iso(second: number): string {
  return new Date(second * 1000).toISOString().replace('.000Z', 'Z')
}

export function hostTerm(address: string): Term {
  return {
    text: address,
    filter: `ip ${address}`,
    source: `src ip ${address}`,
    destination: `dst ip ${address}`,
    page: `/host/${encodeURIComponent(address)}`,
  }
}

/** `10.0.0.0/8`. */
export function networkTerm(prefix: string): Term {
  return { text: prefix, filter: `net ${prefix}`, source: `src net ${prefix}`, destination: `dst net ${prefix}` }
}

/** A port, of the protocol with that number where it is known: `443/tcp`. */
export function portTerm(port: number, protocol: number | null = null): Term {
  const proto = protocol === null ? '' : `proto ${protocolWord(protocol)} and `
  return {
    text: protocol === null ? String(port) : `${port}/${protocolWord(protocol)}`,
    filter: `${proto}port ${port}`,
    source: `${proto}src port ${port}`,
    destination: `${proto}dst port ${port}`,
  }
}

export function protocolTerm(protocol: number | null): Term {
  if (protocol === null) return { text: 'unknown', filter: 'protocol is unknown' }
  return { text: protocolName(protocol) ?? String(protocol), filter: `proto ${protocolWord(protocol)}` }
}

export function sensorTerm(sensor: string | null): Term {
  return { text: sensor ?? 'unknown', filter: sensor === null ? 'sensor is unknown' : `sensor = ${quoted(sensor)}` }
}

export function actionTerm(action: string | null): Term {
  return fieldTerm('action', action)
}

/** Any field and its value; null: unknown. */
export function fieldTerm(field: string, value: string | number | null): Term {
  const text = value === null ? 'unknown' : String(value)
  if (!/^[a-z_][a-z0-9_-]*$/i.test(field)) return { text, filter: null }
  return { text, filter: value === null ? `${field} is unknown` : `${field} = ${quoted(text)}` }
}

/** As the filter language names it: tcp; its number where it has no name, or shares it. */
function protocolWord(protocol: number): string {
  const name = protocolName(protocol)?.toLowerCase()
  return name !== undefined && protocolNumbers.get(name) === protocol && /^[\w-]+$/.test(name) ? name : String(protocol)
}

/** Within quotes, unless it is surely a word by itself: no word of the language has a digit. */
function quoted(text: string): string {
  const plain = /^[A-Za-z0-9_:.][\w:.\-/]*$/.test(text) && (/\d/.test(text) || /^(ACCEPT|REJECT)$/.test(text))
  return plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}
