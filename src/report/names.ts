import type { Dossier, Outcome, RoleBasis, ServiceRow, SubjectRole } from '../investigate/dossier.ts'
import { protocolText } from '../net/protocols.ts'
import { address, line, type Text } from './block.ts'

/** What the figures of a dossier were counted from, in words. */
export function materialWords(d: Dossier): string {
  if (d.source === 'logs') return 'logs'
  const { captures, nfcapd_files, flow_tables } = d.evidence
  const kinds = [
    ...(captures > 0 ? ['captures'] : []),
    ...(nfcapd_files > 0 ? ['nfcapd files'] : []),
    ...(flow_tables > 0 ? ['tables of flows'] : []),
  ]
  return kinds.length === 0 ? 'captures' : kinds.join(kinds.length > 2 ? ', ' : ' and ')
}

/** Beside flow logs: kinds of files whose flow records count in none of a dossier's figures. Null: there are none. */
export function uncountedText(d: Dossier): string | null {
  const { nfcapd_files, flow_tables } = d.evidence
  const kinds = [
    ...(nfcapd_files > 0 ? ['nfcapd files'] : []),
    ...(flow_tables > 0 ? ['tables of flows (conn.log and others)'] : []),
  ]
  if (d.source !== 'logs' || kinds.length === 0) return null
  return `Flow records of ${kinds.join(' and ')} are in no figure of this page: they may count the same traffic.`
}

/** `10.130.8.94:22`, `[2001:db8::1]:22`; the address alone where the protocol has no ports. */
export function endpointText(address: string, port: number | null): string {
  if (port === null) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** The same, of which the address can be told from the port. */
export function endpoint(host: string, port: number | null): Text {
  if (port === null) return address(host)
  return host.includes(':') ? line`[${address(host)}]:${String(port)}` : line`${address(host)}:${String(port)}`
}

/** Who opened the connections, and to what. */
export function connection(service: ServiceRow): Text {
  return line`${address(service.client)} → ${endpoint(service.server, service.port)}`
}

/** `http/TCP`; the protocol alone where the service has no name of its own. */
export function serviceName(service: Pick<ServiceRow, 'protocol' | 'name'>): string {
  const protocol = protocolText(service.protocol)
  return service.name === null || service.name.toLowerCase() === protocol.toLowerCase()
    ? protocol
    : `${service.name}/${protocol}`
}

export const outcomeWords: Record<Outcome, string> = {
  answered: 'answered',
  refused: 'refused',
  unanswered: 'unanswered',
  rejected: 'rejected',
}

export const roleWords: Record<SubjectRole, string> = {
  client: 'the subject is the client',
  server: 'the subject is the server',
  both: 'both ends are the subject',
  transit: 'the subject is a hop on the way',
}

export const basisWords: Record<RoleBasis, string> = {
  syn: 'known by who sent the SYN',
  'aws-service': "known by the AWS service's name",
  'rejected-attempt': 'known by the rejected attempt',
  listener: 'known by the peers of the listener',
  'port-number': 'guessed from the port numbers',
  'first-seen': 'guessed from who was seen first',
  'icmp-error': 'known by an ICMP error, which goes to the one who asked',
  unknown: 'not known',
}

/** `a`, `a and b`, `a, b and c`; beyond `limit` the rest is counted. */
export function listText(items: string[], limit = Number.POSITIVE_INFINITY, rest = 'more'): string {
  const named = items.length > limit ? [...items.slice(0, limit), `${items.length - limit} ${rest}`] : items
  return named.length < 2 ? (named[0] ?? '') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`
}

/** A list of numbers in ascending ranges: `22, 80, 8000–8010`. */
export function rangesText(numbers: Iterable<number>): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b)
  const ranges: [number, number][] = []
  for (const number of sorted) {
    const last = ranges.at(-1)
    if (last && number === last[1] + 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ')
}
