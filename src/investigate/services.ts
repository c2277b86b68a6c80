/** Services as rows of the dossier (docs/reference/dossier.md, section 5). */
import { roleBases } from '../conversations/ladder.ts'
import {
  isPartlyUnsaid,
  isTimed,
  noPort,
  noProtocol,
  outcomeOf,
  outcomes,
  type Services,
  saidSum,
} from '../conversations/services.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import { formatAddress } from '../net/address.ts'
import { registeredService } from '../net/ports.ts'
import { hasPorts, protocolName } from '../net/protocols.ts'
import { utcSeconds } from '../net/time.ts'
import type { ServiceRow, SubjectRole } from './dossier.ts'

/** Ports whose use is taken as approved unless `--approved-ports` says otherwise (contract). */
export const defaultApprovedPorts: readonly number[] = [22, 53, 80, 123, 443]

export const subjectRoles = ['both', 'server', 'client', 'transit'] as const satisfies readonly SubjectRole[]

/** Services, and what the dossier says of each: by number. */
export interface ToldServices {
  services: Services
  hosts: SubjectRecords['dictionaries']['hosts']
  /** Numbers among `outcomes` and `subjectRoles`. */
  outcome: Uint8Array
  role: Uint8Array
  /** Whether the port is registered and its use approved; nothing is said of a service without a port. */
  standard: Uint8Array
  /** Texts of hosts that were asked for. */
  texts: Map<number, string>
}

/** @param approved ports whose use the analyst approves of. */
export function toldServices(
  services: Services,
  { dictionaries, isSubject }: SubjectRecords,
  approved: readonly number[],
): ToldServices {
  const { count, toServer, toClient, notRst, rule } = services
  const outcome = new Uint8Array(count)
  const role = new Uint8Array(count)
  const standard = new Uint8Array(count)
  const isStandard = standardPorts(approved)
  for (let service = 0; service < count; service++) {
    outcome[service] = outcomes.indexOf(
      outcomeOf(toServer[service]!, toClient[service]!, notRst[service] !== 0, rule[service]!),
    )
    const [server, client] = [isSubject(services.server[service]!), isSubject(services.client[service]!)]
    role[service] = server && client ? 0 : server ? 1 : client ? 2 : 3
    standard[service] = Number(isStandard(services.protocol[service]!, services.port[service]!))
  }
  return { services, hosts: dictionaries.hosts, outcome, role, standard, texts: new Map() }
}

/** Whether a port is approved, and IANA registers a service there. */
export function standardPorts(approved: readonly number[]): (protocol: number, port: number) => boolean {
  const protocols = Array.from({ length: 256 }, (_, protocol) => protocol).filter(hasPorts)
  const standard = new Set(
    protocols.flatMap(protocol =>
      approved.filter(port => registeredService(port, protocol) !== null).map(port => protocol * noPort + port),
    ),
  )
  return (protocol, port) => standard.has(protocol * noPort + port)
}

export function hostText({ hosts, texts }: Pick<ToldServices, 'hosts' | 'texts'>, host: number): string {
  const text = texts.get(host) ?? formatAddress(hosts.hi[host]!, hosts.lo[host]!)
  texts.set(host, text)
  return text
}

/** Null where a service has none. */
export function portOf({ port }: Services, index: number): number | null {
  return port[index] === noPort ? null : port[index]!
}

/** Null where it is not known. */
export function protocolOf({ protocol }: Services, index: number): number | null {
  return protocol[index] === noProtocol ? null : protocol[index]!
}

export function serviceRow(told: ToldServices, index: number): ServiceRow {
  const { services } = told
  const port = portOf(services, index)
  const protocol = protocolOf(services, index)
  const registered = port === null || protocol === null ? null : registeredService(port, protocol)
  const timed = isTimed(services, index)
  return {
    server: hostText(told, services.server[index]!),
    port,
    protocol,
    name: registered?.name ?? (protocol === null ? null : protocolName(protocol)?.toLowerCase()) ?? null,
    standard: port === null ? null : told.standard[index] === 1,
    client: hostText(told, services.client[index]!),
    subject_role: subjectRoles[told.role[index]!]!,
    outcome: outcomes[told.outcome[index]!]!,
    records: services.records[index]!,
    rejected: services.rejected[index]!,
    connections: services.connections[index]!,
    bytes_to_server: saidSum(services, 'bytesToServer', index),
    bytes_to_client: saidSum(services, 'bytesToClient', index),
    packets_to_server: saidSum(services, 'packetsToServer', index),
    packets_to_client: saidSum(services, 'packetsToClient', index),
    at_least: isPartlyUnsaid(services, index),
    first_start: timed ? utcSeconds(services.first_us[index]!) : null,
    last_end: timed ? utcSeconds(services.last_us[index]!) : null,
    role_basis: roleBases[services.rule[index]! - 1]!,
    role_confidence: services.confidence[index]! / 100,
    longest_seconds: timed ? services.longest_us[index]! / 1e6 : null,
    findings: [],
  }
}
