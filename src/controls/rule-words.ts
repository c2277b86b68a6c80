/** What is said of rules. */
import { integerText } from '../net/counts.ts'
import { registeredService } from '../net/ports.ts'
import { hasPorts, protocolName, TCP, UDP } from '../net/protocols.ts'

/** `443/tcp`, `1024-65535/udp`, `icmp`. Of what rules of AWS may have in a description. */
export function trafficText(protocol: number, from: number | null, to: number | null = from): string {
  const name = protocolName(protocol)?.toLowerCase() ?? `protocol ${protocol}`
  if (from === null) return name
  return `${from === to ? from : `${from}-${to}`}/${name}`
}

/** `443/tcp (https)`: with the name where IANA has one. */
export function namedTraffic(protocol: number, port: number | null): string {
  const name = port === null || !(protocol === TCP || protocol === UDP) ? null : registeredService(port, protocol)?.name
  const text = trafficText(protocol, hasPorts(protocol) ? port : null)
  return name === null || name === undefined ? text : `${text} (${name})`
}

/** Some texts, the first few by name: `a, b and 3 others`. */
export function someText(texts: readonly string[], most = 8): string {
  if (texts.length <= most) return listText(texts)
  return `${texts.slice(0, most).join(', ')} and ${integerText(texts.length - most)} others`
}

function listText(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

/** `99.3 %`, cut off and not rounded: what is not all never looks whole. */
export function shareText(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`
}

/** A name that groups, lists and rules may have, of a host. */
export function nameFor(what: string, address: string): string {
  return `tidemark-${what}-${address.replace(/[^0-9A-Za-z]+/g, '-')}`
}
